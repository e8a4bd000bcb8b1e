package main

import (
	"strings"
	"testing"
)

func TestURLNeedsAChallengeUnlessTheDeploymentSaysOtherwise(t *testing.T) {
	t.Parallel()
	h, log := newHandlerWith(t, &fakeUsers{}, map[string]string{"PROOF_OF_POSSESSION": "required"})
	checkRefusal(t, h, request(`{}`), 400, "bad_request", log)
	checkRefusal(t, h, request(`{"challenge":""}`), 400, "bad_request", log)
	if _, granted := sign(t, h, request(`{"challenge":"`+challenge+`"}`)); granted.Challenge != challenge {
		t.Errorf("signed the challenge %q", granted.Challenge)
	}
	h, _ = newHandlerWith(t, &fakeUsers{}, map[string]string{"PROOF_OF_POSSESSION": "optional"})
	for _, want := range []string{"", challenge} {
		body := strings.ReplaceAll(`{"challenge":"…"}`, "…", want)
		if _, granted := sign(t, h, request(body)); granted.Challenge != want {
			t.Errorf("%s signed the challenge %q", body, granted.Challenge)
		}
	}
}
