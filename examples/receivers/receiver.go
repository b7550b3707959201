// A receiver for Go 1.21 and later: PORT=3000 POSTERN_SECRET=whsec_… go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func isGenuine(header http.Header, body, key []byte) bool {
	id, sentAt := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(sentAt, 10, 64)
	if id == "" || err != nil || time.Since(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + sentAt + "."))
	mac.Write(body)
	expected := mac.Sum(nil)
	// While a secret is replaced there are several signatures: one that fits is enough.
	for _, part := range strings.Fields(header.Get("webhook-signature")) {
		signature, isV1 := strings.CutPrefix(part, "v1,")
		bytes, err := base64.StdEncoding.DecodeString(signature)
		if isV1 && err == nil && hmac.Equal(bytes, expected) {
			return true
		}
	}
	return false
}

func main() {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("POSTERN_SECRET"), "whsec_"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		// Verify the bytes as they came, before anything parses them.
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, 1<<20))
		if err != nil || !isGenuine(request.Header, body, key) {
			response.WriteHeader(http.StatusUnauthorized)
			return
		}
		var event struct{ Type string }
		if err := json.Unmarshal(body, &event); err != nil {
			log.Print(err)
		}
		// The same webhook-id again is the same delivery: remember it and skip the second one.
		log.Print(request.Header.Get("webhook-id"), " ", event.Type)
		response.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
