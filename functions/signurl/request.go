package main

import (
	"encoding/base64"
	"mime"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"signedsocket/shared/grant"
)

const maxBody = 1 << 10 // bytes

// signRequest is the body of a request.
type signRequest struct {
	Rooms     []string   `json:"rooms"`     // rooms to be in; the default rooms when there are none
	Challenge string     `json:"challenge"` // base64url of the SHA-256 digest of the client's verifier
	User      *namedUser `json:"user"`      // whom a trusted caller has signed in; only in mode iam
}

// readRequest returns the body of a request. Exactly one JSON object is taken, with the known names
// in their letter case and each at most once: a body that two parsers could read in two ways is bad.
func readRequest(event events.APIGatewayV2HTTPRequest) (signRequest, error) {
	mediaType, _, err := mime.ParseMediaType(header(event, "content-type"))
	if err != nil || mediaType != "application/json" { // mutate:signurl-media-type
		return signRequest{}, errMediaType
	}
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return signRequest{}, errBadRequest
		}
	}
	if len(body) > maxBody { // mutate:signurl-size
		return signRequest{}, errTooLarge
	}
	var request signRequest
	strict := json.RejectUnknownMembers(true) // mutate:signurl-unknown-members
	if err := json.Unmarshal(body, &request, strict); err != nil {
		return signRequest{}, errBadRequest
	}
	if len(request.Rooms) > 0 && !grant.ValidRooms(request.Rooms) || request.Challenge != "" && !grant.ValidChallenge(request.Challenge) {
		return signRequest{}, errBadRequest
	}
	return request, nil
}

// header returns a header by its name in lower case, as the payload format 2.0 writes names.
func header(event events.APIGatewayV2HTTPRequest, lower string) string {
	if value, ok := event.Headers[lower]; ok {
		return value
	}
	for name, value := range event.Headers {
		if strings.EqualFold(name, lower) {
			return value
		}
	}
	return ""
}
