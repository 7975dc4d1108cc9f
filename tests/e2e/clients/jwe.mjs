// npm `jose` as the one who reads what the broker encrypts: `node jwe.mjs keys` makes key pairs, `node jwe.mjs open`
// reads {"token", "key", "alg", "enc"} from standard input and writes header and plain text.
import { compactDecrypt, exportJWK, generateKeyPair, importJWK } from "jose";
import { readFileSync } from "node:fs";

const pair = async (alg, crv) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { crv, extractable: true });
  return { public: { ...(await exportJWK(publicKey)), use: "enc" }, private: await exportJWK(privateKey) };
};

if (process.argv[2] === "keys") {
  const keys = {
    rsa: await pair("RSA-OAEP-256"),
    p256: await pair("ECDH-ES", "P-256"),
    p384: await pair("ECDH-ES", "P-384"),
  };
  console.log(JSON.stringify(keys));
} else {
  const { token, key, alg, enc } = JSON.parse(readFileSync(0, "utf8"));
  const options = { keyManagementAlgorithms: [alg], contentEncryptionAlgorithms: [enc] };
  const { plaintext, protectedHeader } = await compactDecrypt(token, await importJWK(key, alg), options);
  console.log(JSON.stringify({ header: protectedHeader, plain: new TextDecoder().decode(plaintext) }));
}
