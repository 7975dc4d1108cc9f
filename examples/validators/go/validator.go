// Package validator takes good access tokens only: the broker is asked about each (RFC 7662). With the standard library
// alone, so that it builds with the Go of Debian; id and secret are those of the service's own application at the broker.
package validator

import "encoding/json"
import "errors"
import "net/http"
import "net/url"
import "strings"

// Claims of an access token. Anything but Bearer is a refresh token, or bound to a key whose proof has to be checked first.
type Claims struct {
	Sub, Scope, Token_type string
	Aud                    []string
}

// Check gives the claims of a good token.
func Check(issuer, audience, id, secret, token string) (claims Claims, err error) {
	form := url.Values{"token": {token}, "client_id": {id}, "client_secret": {secret}}
	answer, err := http.PostForm(issuer+"/oauth2/introspect", form)
	if err != nil {
		return claims, err
	}
	defer answer.Body.Close()
	// What is not active has no claims.
	err = json.NewDecoder(answer.Body).Decode(&claims)
	if err == nil && (claims.Token_type != "Bearer" || !strings.Contains(strings.Join(claims.Aud, " ")+" ", audience+" ")) {
		err = errors.New("the token is not good")
	}
	return claims, err
}
