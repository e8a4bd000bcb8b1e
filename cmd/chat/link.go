package main

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"signedsocket/internal/stageclient"
)

// connectTimeout bounds one attempt, from the token to the open socket. A function
// that starts cold takes its time.
const connectTimeout = 20 * time.Second

// socket is what the chat needs of a connection.
type socket interface {
	Send(ctx context.Context, m stageclient.Outgoing) error
	Ping(ctx context.Context) error
	Next(ctx context.Context) (stageclient.Frame, error)
	Close() error
}

// session is an open connection and what it is allowed.
type session struct {
	socket socket
	user   stageclient.User
	rooms  []string
	lasts  time.Duration // until the server ends it
}

// link opens connections to a stage, each with a signed URL of its own.
type link struct {
	client      *stageclient.Client
	user        string
	name        string
	room        string
	signLocally bool
}

func newLink(o options, outputs stageclient.Outputs) *link {
	return &link{
		client: &stageclient.Client{Outputs: outputs, TokenCommand: o.TokenCommand},
		user:   o.As, name: cmp.Or(o.Name, o.As), room: o.Room, signLocally: o.SignLocally,
	}
}

func (l *link) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	proof := stageclient.NewProof()
	signed, err := l.sign(ctx, proof.Challenge)
	if err != nil {
		return nil, err
	}
	conn, err := stageclient.Dial(ctx, signed, stageclient.DialOptions{Verifier: proof.Verifier, Header: l.origin()})
	if err != nil {
		return nil, err
	}
	return &session{conn, signed.User, signedRooms(signed.URL), time.Duration(signed.SessionEndsIn) * time.Second}, nil
}

func (l *link) sign(ctx context.Context, challenge string) (*stageclient.Signed, error) {
	if l.signLocally {
		credentials, err := l.client.Credentials(ctx, "")
		if err != nil {
			return nil, err
		}
		user := stageclient.User{Sub: l.user, Name: l.name}
		return l.client.SignLocally(ctx, credentials, stageclient.NewGrant(user, []string{cmp.Or(l.room, "lobby")}, challenge, time.Now()))
	}
	token, err := l.client.Token(ctx, l.user)
	if err != nil {
		return nil, err
	}
	var rooms []string
	if l.room != "" {
		rooms = []string{l.room}
	}
	return l.client.SignURL(ctx, token, rooms, challenge)
}

// origin is the header that a page of this stage would send.
func (l *link) origin() http.Header {
	page, err := url.Parse(l.client.Outputs.FrontendURL)
	if err != nil || page.Host == "" {
		return nil
	}
	return http.Header{"Origin": {page.Scheme + "://" + page.Host}}
}

// signedRooms are the rooms that the signed URL speaks of.
func signedRooms(signed string) []string {
	u, err := url.Parse(signed)
	if err != nil || u.Query().Get("rm") == "" {
		return nil
	}
	return strings.Split(u.Query().Get("rm"), ".")
}
