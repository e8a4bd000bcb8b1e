// Package stageclient is a client of a stage, local or deployed, for tests and for the tools under cmd. It gets a
// token, gets or signs a URL, opens the socket, sends frames and waits for frames.
//
// A [Follower] keeps a client up to date in its rooms over many connections.
//
// It knows a stage by its [Outputs] only and cannot tell a local one from a deployed one. It declares the frames and
// the grant a second time, so that its tests notice a change of the wire format in the functions.
package stageclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TokenCommandVariable names the environment variable whose shell command prints an
// access token. The command finds the user in the variable [UserVariable].
const (
	TokenCommandVariable = "SIGNEDSOCKET_TOKEN_COMMAND"
	UserVariable         = "SIGNEDSOCKET_USER"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 64 << 10

// Client talks to one stage. Its methods may be called concurrently.
type Client struct {
	Outputs      Outputs
	TokenCommand string       // prints an access token; empty asks the local stage's development issuer
	HTTP         *http.Client // http.DefaultClient when nil
	Trace        Trace        // called for every frame of the connections that Dial opens; may be nil
	Instance     *Instance    // tells signurl which connections are of one client; nil tells nothing
}

// User is a user as the stage names it.
type User struct {
	Sub  string `json:"sub"`
	Name string `json:"name"`
}

// Signed is the answer of POST /signurl: the permission to connect once.
type Signed struct {
	URL           string   `json:"url"` // a secret until it is used or has expired
	Protocols     []string `json:"protocols"`
	ExpiresIn     int      `json:"expiresIn"`     // seconds until the URL opens nothing any more
	SessionEndsIn int      `json:"sessionEndsIn"` // seconds that the connection may last
	User          User     `json:"user"`
	Allowed       []Room   `json:"rooms"`     // all rooms that the user may enter; nil when the stage does not say
	Moderator     bool     `json:"moderator"` // the user may delete any message
}

// Room is a room that a user may enter.
type Room struct {
	Name     string `json:"room"`
	ReadOnly bool   `json:"readOnly"` // the user may not write to it
}

// ReadOnly reports whether the user may read a room and not write to it.
func (s *Signed) ReadOnly(room string) bool {
	return slices.Contains(s.Allowed, Room{Name: room, ReadOnly: true})
}

// String names the user and leaves the URL out.
func (s Signed) String() string {
	return fmt.Sprintf("signed URL for %s, good for %d s", s.User.Sub, s.ExpiresIn)
}

// Rooms returns the rooms that the URL opens.
func (s *Signed) Rooms() []string {
	u, err := url.Parse(s.URL)
	if err != nil || u.Query().Get("rm") == "" {
		return nil
	}
	return strings.Split(u.Query().Get("rm"), ".")
}

// SignError is a refusal of POST /signurl.
type SignError struct {
	Status     int           // HTTP status
	Code       string        // of signurl, such as "room_not_allowed"; empty for a refusal of the gateway
	Message    string        // the message in the body
	RetryAfter time.Duration // zero when the answer does not say
}

// Error names the status and what the answer says.
func (e *SignError) Error() string {
	text := "signurl answered " + strconv.Itoa(e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// SignURL asks the stage for a signed URL with an access token, or as a guest when token is empty. Without rooms it
// asks for the default ones. The challenge comes from a [Proof] and may be empty. A refusal is a [*SignError].
func (c *Client) SignURL(ctx context.Context, token string, rooms []string, challenge string) (*Signed, error) {
	authorize := func(r *http.Request, _ []byte) error {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	return c.signURLAsInstance(ctx, signRequest{Rooms: rooms, Challenge: challenge}, token == "", authorize)
}

// signRequest is the body of POST /signurl.
type signRequest struct {
	Rooms     []string   `json:"rooms,omitempty"`
	Challenge string     `json:"challenge,omitempty"`
	Instance  string     `json:"ci,omitempty"`
	Guest     string     `json:"guest,omitempty"`
	Name      string     `json:"name,omitempty"` // of the guest
	User      *NamedUser `json:"user,omitempty"`
	SignIn    string     `json:"signIn,omitempty"`
}

// authorizer adds the caller's token or signature to a request. The body of the request is final then.
type authorizer func(r *http.Request, body []byte) error

// signURLAsInstance asks for a signed URL and names the instance of the client. If the stage does not know the members
// of an instance, it asks again without them.
func (c *Client) signURLAsInstance(
	ctx context.Context, request signRequest, asGuest bool, authorize authorizer,
) (*Signed, error) {
	plain := request
	c.Instance.describe(&request, asGuest)
	signed, err := c.signURL(ctx, request, authorize)
	if c.Instance.refused(err) {
		return c.signURL(ctx, plain, authorize)
	}
	return signed, err
}

// signURL asks for a signed URL.
func (c *Client) signURL(ctx context.Context, request signRequest, authorize authorizer) (*Signed, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("ask signurl: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Outputs.SignURL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask signurl: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if err := authorize(r, body); err != nil {
		return nil, fmt.Errorf("ask signurl: %w", err)
	}
	status, header, answer, err := c.do(r)
	if err != nil {
		return nil, fmt.Errorf("ask signurl: %w", err)
	}
	if status != http.StatusOK {
		return nil, newSignError(status, header, answer)
	}
	var signed Signed
	if err := json.Unmarshal(answer, &signed); err != nil {
		return nil, fmt.Errorf("ask signurl: read answer: %w", err)
	}
	if signed.URL == "" {
		return nil, errors.New("ask signurl: the answer has no url")
	}
	return &signed, nil
}

func newSignError(status int, header http.Header, answer []byte) *SignError {
	e := &SignError{Status: status}
	var body struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &body) == nil {
		e.Code, e.Message = body.Error, body.Message
	}
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}

func (c *Client) do(r *http.Request) (int, http.Header, []byte, error) {
	resp, err := cmp.Or(c.HTTP, http.DefaultClient).Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, nil, nil, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, resp.Header, body, nil
}

// Connect takes all steps for a user: token, signed URL with a new [Proof], socket. Without rooms it asks for the
// default ones. It offers the protocols of the signed URL.
func (c *Client) Connect(ctx context.Context, user string, rooms ...string) (*Conn, *Signed, error) {
	return c.connect(ctx, user, rooms, nil)
}

// ConnectWithHistory is [Client.Connect] that offers [ProtocolWithHistory], too.
func (c *Client) ConnectWithHistory(ctx context.Context, user string, rooms ...string) (*Conn, *Signed, error) {
	return c.connect(ctx, user, rooms, WithHistory())
}

func (c *Client) connect(ctx context.Context, user string, rooms, protocols []string) (*Conn, *Signed, error) {
	token, err := c.Token(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	proof := NewProof()
	signed, err := c.SignURL(ctx, token, rooms, proof.Challenge)
	if err != nil {
		return nil, nil, err
	}
	conn, err := c.Dial(ctx, signed, DialOptions{Verifier: proof.Verifier, Protocols: protocols})
	return conn, signed, err
}
