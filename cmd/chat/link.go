package main

import (
	"cmp"
	"context"
	"time"

	"signedsocket/internal/stageclient"
)

// connectTimeout bounds one attempt, from the token to the open socket. A cold start of a function takes time.
const connectTimeout = 20 * time.Second

// socket is what the chat needs of a connection.
type socket interface {
	Send(ctx context.Context, m stageclient.Outgoing) error
	Ask(ctx context.Context, q stageclient.Question) error
	SendDelete(ctx context.Context, room string, seq int64, id string) error
	Ping(ctx context.Context) error
	Next(ctx context.Context) (stageclient.Frame, error)
	Close() error
}

// session is an open connection and its rights.
type session struct {
	socket  socket
	user    stageclient.User
	rooms   []string
	lasts   time.Duration // until the server ends it
	history bool          // the server takes requests for history

	readOnly map[string]bool // rooms to which the user may not write
}

// link opens connections to a stage, each with a signed URL of its own.
type link struct {
	client        *stageclient.Client
	user          string // empty for a guest
	name          string
	room          string
	signLocally   bool
	trustedCaller bool
}

// newLink returns the connector of a user. A guest has no user. Without a name the name of the user is used.
func newLink(o stageOptions, outputs stageclient.Outputs, user, name string) *link {
	return &link{
		client: &stageclient.Client{
			Outputs: outputs, TokenCommand: o.TokenCommand, Instance: stageclient.NewInstance(),
		},
		user: user, name: cmp.Or(name, user), room: o.Room, signLocally: o.SignLocally, trustedCaller: o.TrustedCaller,
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
	conn, err := l.client.Dial(ctx, signed, stageclient.DialOptions{
		Verifier: proof.Verifier, Protocols: stageclient.WithHistory(),
	})
	if err != nil {
		return nil, err
	}
	readOnly := map[string]bool{}
	for _, room := range signed.Rooms() {
		readOnly[room] = signed.ReadOnly(room)
	}
	return &session{
		socket: conn, user: signed.User, rooms: signed.Rooms(),
		lasts:   time.Duration(signed.SessionEndsIn) * time.Second,
		history: conn.Subprotocol() == stageclient.ProtocolWithHistory, readOnly: readOnly,
	}, nil
}

// sign gets a signed URL in the way that the command line asks for.
func (l *link) sign(ctx context.Context, challenge string) (*stageclient.Signed, error) {
	var rooms []string
	if l.room != "" {
		rooms = []string{l.room}
	}
	user := stageclient.User{Sub: l.user, Name: l.name}
	switch {
	case l.user == "": // a guest has no token
		return l.client.SignURL(ctx, "", rooms, challenge)
	case l.trustedCaller:
		credentials, err := l.client.Credentials(ctx, "")
		if err != nil {
			return nil, err
		}
		return l.client.SignURLFor(ctx, credentials, stageclient.NewNamedUser(user, time.Now()), rooms, challenge)
	case l.signLocally:
		credentials, err := l.client.Credentials(ctx, "")
		if err != nil {
			return nil, err
		}
		grant := stageclient.NewGrant(user, []string{cmp.Or(l.room, "lobby")}, challenge, time.Now())
		grant.ClientInstance = l.client.Instance.ID
		return l.client.SignLocally(ctx, credentials, grant)
	}
	token, err := l.client.Token(ctx, l.user)
	if err != nil {
		return nil, err
	}
	return l.client.SignURL(ctx, token, rooms, challenge)
}

// userOrGuest names the user in a sentence.
func (l *link) userOrGuest() string { return cmp.Or(l.user, "a guest") }
