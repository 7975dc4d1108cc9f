// Package validator takes good access tokens only: the broker is asked about each (RFC 7662). With the standard library
// alone, so that it builds with the Go of Debian; id and secret are those of the service's own application at the broker.
package validator

import "encoding/json"
import "errors"
import "fmt"
import "net/http"
import "net/url"

// Check gives the claims of a good token that is meant for this service alone. Of what is not active there are none; anything
// but Bearer is a refresh token, or bound to a key whose proof would have to be checked first.
func Check(issuer, audience, id, secret, token string) (claims map[string]interface{}, err error) {
	form := url.Values{"token": {token}, "client_id": {id}, "client_secret": {secret}}
	answer, err := http.PostForm(issuer+"/oauth2/introspect", form)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	err = json.NewDecoder(answer.Body).Decode(&claims)
	if err == nil && (claims["token_type"] != "Bearer" || fmt.Sprint(claims["aud"]) != "["+audience+"]") {
		err = errors.New("the token is not good")
	}
	return claims, err
}
