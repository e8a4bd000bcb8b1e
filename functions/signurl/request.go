package main

import (
	"encoding/base64"
	"mime"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/go-json-experiment/json"

	"signedsocket/shared/grant"
)

const (
	maxBody       = 1 << 10 // bytes of a request of a client
	maxServerBody = 8 << 10 // bytes of a request of a trusted caller, which names all rooms of a user
)

// signRequest is the body of POST /signurl.
type signRequest struct {
	Rooms          []string   `json:"rooms"`     // rooms to be in; the default rooms when there are none
	Challenge      string     `json:"challenge"` // base64url of the SHA-256 digest of the client's verifier
	ClientInstance *string    `json:"ci"`        // the client object that asks, see grant.ValidClientInstance
	Guest          *string    `json:"guest"`     // base64url of 32 bytes that a guest keeps; only in mode guest
	Name           *string    `json:"name"`      // display name that a guest chose; only in mode guest
	User           *namedUser `json:"user"`      // the user whom a trusted caller has signed in; only in mode iam
	SignIn         *string    `json:"signIn"`    // the sign-in of that user, see grant.ValidSignIn; only in mode iam
}

// readRequest returns the body of a request to sign a URL.
func readRequest(event events.APIGatewayV2HTTPRequest, limit int) (signRequest, error) {
	var request signRequest
	if err := readBody(event, limit, &request); err != nil {
		return signRequest{}, err
	}
	if len(request.Rooms) > 0 && !grant.ValidRooms(request.Rooms) ||
		request.Challenge != "" && !grant.ValidChallenge(request.Challenge) ||
		!absentOr(request.ClientInstance, grant.ValidClientInstance) ||
		!absentOr(request.SignIn, grant.ValidSignIn) {
		return signRequest{}, errBadRequest
	}
	return request, nil
}

// readBody reads the body of a request into a value. Exactly one JSON object is taken, with the known names in their
// letter case and each at most once: a body that two parsers could read in two ways is bad.
func readBody(event events.APIGatewayV2HTTPRequest, limit int, into any) error {
	mediaType, _, err := mime.ParseMediaType(header(event, "content-type"))
	if err != nil || mediaType != "application/json" { // mutate:signurl-media-type
		return errMediaType
	}
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return errBadRequest
		}
	}
	if len(body) > limit { // mutate:signurl-size
		return errTooLarge
	}
	strict := json.RejectUnknownMembers(true) // mutate:signurl-unknown-members
	if err := json.Unmarshal(body, into, strict); err != nil {
		return errBadRequest
	}
	return nil
}

// absentOr reports whether an optional member is absent or valid.
func absentOr(member *string, valid func(string) bool) bool { return member == nil || valid(*member) }

// valueOf returns an optional member, or "" when it is absent.
func valueOf(member *string) string {
	if member == nil {
		return ""
	}
	return *member
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
