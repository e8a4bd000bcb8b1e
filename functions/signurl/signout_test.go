package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"signedsocket/shared/awsclient"
	"signedsocket/shared/userid"
)

const signedOutAlice = `{"user":{"sub":"alice"},"signIn":"` + signIn + `"}`

// fakeReaper remembers its orders, and fails with err.
type fakeReaper struct {
	err    error
	orders []signOut
}

func (f *fakeReaper) SignOut(_ context.Context, order signOut) error {
	f.orders = append(f.orders, order)
	return f.err
}

// signOutBy returns the event of a request of a caller to sign a user out.
func signOutBy(userARN, body string) events.APIGatewayV2HTTPRequest {
	e := signedBy(userARN)
	e.RouteKey, e.Body = routeSignOut, body
	return e
}

func TestSignOutIsHandedToTheReaper(t *testing.T) {
	t.Parallel()
	later := epoch.Add(signInKept).Unix()
	hashed := userid.From("stack", issuer, "auth0|alice")
	tests := []struct {
		name, user string
		want       signOut
	}{
		{"a plain sub", `{"sub":"alice"}`, signOut{"alice", signIn, later, webRole}},
		{"a sub of the provider", `{"sub":"auth0|alice"}`, signOut{hashed, signIn, later, webRole}},
		{"with its issuer", `{"sub":"auth0|alice","iss":"` + issuer + `"}`, signOut{hashed, signIn, later, webRole}},
		{"with another issuer", `{"sub":"auth0|alice","iss":"x"}`,
			signOut{userid.From("stack", "x", "auth0|alice"), signIn, later, webRole}},
		{"until its end", `{"sub":"alice","sessionEndsAt":1795330740}`, signOut{"alice", signIn, 1795330740, webRole}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
			reaper := &fakeReaper{}
			h.reaper = reaper
			response, err := h.handle(t.Context(), signOutBy(webRole, `{"user":`+test.user+`,"signIn":"`+signIn+`"}`))
			if err != nil || response.StatusCode != 204 || response.Body != "" ||
				response.Headers["Cache-Control"] != "no-store" {
				t.Errorf("handle = %+v, %v", response, err)
			}
			if diff := cmp.Diff([]signOut{test.want}, reaper.orders); diff != "" {
				t.Errorf("orders (-want +got):\n%s", diff)
			}
			if strings.Contains(log.String(), signIn) || !strings.Contains(log.String(), "signed out") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

func TestSignOutIsRefused(t *testing.T) {
	t.Parallel()
	body := func(body string) events.APIGatewayV2HTTPRequest { return signOutBy(webRole, body) }
	unsigned := body(signedOutAlice)
	unsigned.RequestContext.Authorizer = nil
	withToken := request(signedOutAlice)
	withToken.RouteKey = routeSignOut
	form := body(signedOutAlice)
	form.Headers = map[string]string{"content-type": "text/plain"}
	tests := []struct {
		name   string
		event  events.APIGatewayV2HTTPRequest
		status int
		code   string
	}{
		{"another caller", signOutBy("arn:aws:iam::111122223333:user/dev2", signedOutAlice), 403, "caller_not_trusted"},
		{"no authorization", unsigned, 503, "auth_not_configured"},
		{"a token", withToken, 503, "auth_not_configured"},
		{"no JSON", body(`x`), 400, "bad_request"},
		{"a form", form, 415, "unsupported_media_type"},
		{"a long body", body(signedOutAlice + strings.Repeat(" ", maxServerBody)), 413, "too_large"},
		{"nothing", body(`{}`), 400, "bad_request"},
		{"no user", body(`{"signIn":"` + signIn + `"}`), 400, "bad_request"},
		{"no sign-in", body(`{"user":{"sub":"alice"}}`), 400, "bad_request"},
		{"an empty sign-in", body(`{"user":{"sub":"alice"},"signIn":""}`), 400, "bad_request"},
		{"a sign-in with a separator",
			body(`{"user":{"sub":"alice"},"signIn":"` + signIn[1:] + `#"}`), 400, "bad_request"},
		{"no sub", body(`{"user":{},"signIn":"` + signIn + `"}`), 400, "bad_request"},
		{"a sub of two lines", body(strings.Replace(signedOutAlice, "alice", `a\nb`, 1)), 400, "bad_request"},
		{"an unknown member",
			body(strings.Replace(signedOutAlice, `"sub"`, `"name":"Alice","sub"`, 1)), 400, "bad_request"},
		{"an end in milliseconds",
			body(strings.Replace(signedOutAlice, `"sub"`, `"sessionEndsAt":1795330740000,"sub"`, 1)),
			400, "bad_request"},
		{"two sign-ins",
			body(signedOutAlice[:len(signedOutAlice)-1] + `,"signIn":"` + signIn + `"}`), 400, "bad_request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
			reaper := &fakeReaper{}
			h.reaper = reaper
			checkRefusal(t, h, test.event, test.status, test.code, log)
			if len(reaper.orders) > 0 {
				t.Errorf("orders %v", reaper.orders)
			}
		})
	}
}

func TestSignOutIsForModeIamOnly(t *testing.T) {
	t.Parallel()
	for _, changes := range []map[string]string{nil, guestsIn("lobby")} {
		h, log := newHandlerWith(t, &fakeUsers{}, changes)
		h.reaper = &fakeReaper{}
		checkRefusal(t, h, signOutBy(webRole, signedOutAlice), 503, "auth_not_configured", log)
	}
	h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
	checkRefusal(t, h, signOutBy(webRole, signedOutAlice), 503, "auth_not_configured", log)
}

func TestSignOutThatFailsIsAFault(t *testing.T) {
	t.Parallel()
	broken := errors.New("no route to Lambda")
	h, log := newHandlerWith(t, &fakeUsers{}, trusting(trusted))
	h.reaper = &fakeReaper{err: broken}
	response, err := h.handle(t.Context(), signOutBy(webRole, signedOutAlice))
	if !errors.Is(err, broken) || response.StatusCode != 0 || !strings.Contains(log.String(), "no route to Lambda") {
		t.Errorf("handle = %+v, %v\n%s", response, err, log)
	}
}

func TestReaperIsInvokedAndItsAnswerAwaited(t *testing.T) {
	t.Parallel()
	const address = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/chat-Reaper/invocations"
	var status int
	var failure string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if want := `{"signOut":{"user":"alice","signIn":"` + signIn + `","until":1795330740,"by":"` + webRole +
			`"}}`; string(body) != want {
			t.Errorf("body %s, want %s", body, want)
		}
		got := r.Method + " " + r.RequestURI + " " + r.Header.Get("X-Amz-Invocation-Type")
		if want := "POST /2015-03-31/functions/chat-Reaper/invocations RequestResponse"; got != want {
			t.Errorf("request %q, want %q", got, want)
		}
		if failure != "" {
			w.Header().Set("X-Amz-Function-Error", failure)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	config := aws.Config{Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		})}
	reaper, err := awsclient.NewFunction(config, address, server.URL, 1)
	if err != nil {
		t.Fatal(err)
	}
	function := reaperFunction{reaper}
	order := signOut{"alice", signIn, time.Unix(1795330740, 0).Unix(), webRole}
	for _, test := range []struct {
		status  int
		failure string
		ok      bool
	}{{200, "", true}, {202, "", false}, {429, "", false}, {200, "Unhandled", false}} {
		status, failure = test.status, test.failure
		if err := function.SignOut(t.Context(), order); (err == nil) != test.ok {
			t.Errorf("%d %s: err = %v", test.status, test.failure, err)
		}
	}
}
