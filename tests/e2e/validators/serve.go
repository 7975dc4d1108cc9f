// Serves the example: 200 for a good token, 401 for every other. Settings come from the environment.
package main

import (
	"net/http"
	"os"
	"strings"

	"validator"
)

func main() {
	setting := os.Getenv
	serve := func(answer http.ResponseWriter, request *http.Request) {
		token := strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer ")
		_, err := validator.Check(setting("ISSUER"), setting("AUDIENCE"), setting("CLIENT_ID"), setting("CLIENT_SECRET"), token)
		if err != nil {
			answer.WriteHeader(http.StatusUnauthorized)
		}
	}
	panic(http.ListenAndServe("127.0.0.1:"+setting("PORT"), http.HandlerFunc(serve)))
}
