// Package validator checks access tokens with github.com/lestrrat-go/jwx/v2. Run `go test` beside it where Go is installed:
// the tests of the repository have no Go toolchain and do not run it.
package validator

import "context"
import "errors"
import "github.com/lestrrat-go/jwx/v2/jwk"
import "github.com/lestrrat-go/jwx/v2/jws"
import "github.com/lestrrat-go/jwx/v2/jwt"

// Check gives the claims of a good token. status fetches the bits of a status list: verify the list as a JWT of `typ` statuslist+jwt, then zlib.
func Check(ctx context.Context, token, issuer, audience string, keys jwk.Set, status func(uri string) ([]byte, error)) (jwt.Token, error) {
	message, err := jws.ParseString(token)
	if err != nil || message.Signatures()[0].ProtectedHeaders().Type() != "at+jwt" { return nil, errors.New("no access token") }
	parsed, err := jwt.ParseString(token, jwt.WithKeySet(keys), jwt.WithIssuer(issuer), jwt.WithAudience(audience))
	if err != nil { return nil, err }
	place := parsed.PrivateClaims()["status"].(map[string]any)["status_list"].(map[string]any)
	bits, err := status(place["uri"].(string))
	if at := int(place["idx"].(float64)); err != nil || bits[at/8]>>(at%8)&1 == 1 { return nil, errors.New("revoked") }
	return parsed, nil
}
