// Serves the example of jose: 200 for a good token, 401 for every other. Settings come from the environment.
import { createServer } from 'node:http'
import { validator } from './validator.mjs'

const check = validator(process.env.ISSUER, process.env.AUDIENCE)
createServer((request, response) => {
  check((request.headers.authorization ?? '').replace('Bearer ', ''))
    .then(() => response.end('good'), () => response.writeHead(401).end())
}).listen(Number(process.env.PORT), '127.0.0.1')
