package main

import (
	"encoding/json"
	"testing"

	"signedsocket/protocol"
)

func TestTheExamplesOfRequestsInTheProtocolAreAccepted(t *testing.T) {
	t.Parallel()
	for _, body := range protocol.Examples(t, "request") {
		read, err := readRequest(request(body), maxBody)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if read.Guest != nil {
			c := config{AuthMode: authModeGuest, guestRooms: rights{{Room: "lobby"}}}
			if _, err := c.callerOf(request(body), read, epoch); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
		if read.User != nil {
			if _, err := (config{}).fromNamed(*read.User); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
}

// TestRequestsThatAreRefusedForTheirFormBreakTheProtocol shows that the schema is no wider than the function.
func TestRequestsThatAreRefusedForTheirFormBreakTheProtocol(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`[]`, `{}x`, `{"a":1}`, `{"Rooms":["a"]}`, `{"rooms":["a"],"rooms":["b"]}`, `{"rooms":"a"}`,
		`{"rooms":["A"]}`, `{"rooms":["a","a"]}`, `{"rooms":["a","b","c","d","e","f","g","h","i"]}`,
		`{"challenge":"a"}`, `{"challenge":"` + challenge[:42] + `"}`, `{"challenge":"` + challenge[:42] + `B"}`,
		`{"ci":""}`,
		`{"ci":"` + instance + `A"}`, `{"signIn":"a"}`, `{"user":{"x":1}}`,
		`{"rooms":["a:r"]}`, `{"moderator":true}`, `{"user":{"moderator":"true"}}`,
	} {
		if _, err := readRequest(request(body), maxBody); err == nil {
			t.Errorf("%s is accepted", body)
		}
		if err := protocol.SignURLRequest([]byte(body)); err == nil {
			t.Errorf("%s keeps to the protocol", body)
		}
	}
}

func TestTheProtocolListsTheRefusals(t *testing.T) {
	t.Parallel()
	sent := make(map[refusal]bool)
	for _, r := range []refusal{
		errBadRequest, errRevoked, errUnknownUser, errNotAccessToken, errNotTrusted, errRoomNotAllowed, errTooLarge,
		errMediaType, errTooManyURLs, errKicked, errGuestsFull, errNotConfigured,
	} {
		response, err := refuse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := protocol.SignURLAnswer(response.StatusCode, []byte(response.Body)); err != nil {
			t.Errorf("answer %s: %v", response.Body, err)
		}
		sent[refusal{code: r.code, message: r.message}] = true
	}
	for _, text := range protocol.Examples(t, "refusal") {
		var body struct{ Error, Message string }
		err := json.Unmarshal([]byte(text), &body)
		if err != nil || !sent[refusal{code: body.Error, message: body.Message}] {
			t.Errorf("the example %s: no refusal of the function has this code and sentence", text)
		}
	}
}
