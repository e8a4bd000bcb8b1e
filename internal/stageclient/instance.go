package stageclient

import (
	"encoding/base64"
	"errors"
	"net/http"
	"sync/atomic"
)

// Instance identifies a client to signurl, the same for all of its connections. Each running client needs its own. Its
// methods may be called concurrently.
type Instance struct {
	ID    string // names the client, so that its next connection takes the place of its last one; 22 characters
	Guest string // a secret: a client that shows it is the same guest again; 43 characters, may be empty
	Name  string // of the guest; may be empty

	unknown atomic.Bool // the stage refuses these members
}

// NewInstance returns an instance with an ID and a guest's secret that no other client has.
func NewInstance() *Instance {
	return &Instance{
		ID:    base64.RawURLEncoding.EncodeToString(random(16)),
		Guest: base64.RawURLEncoding.EncodeToString(random(32)),
	}
}

// describe adds the instance to a request. A request with a token or signature does not get the secret.
func (i *Instance) describe(request *signRequest, asGuest bool) {
	if i == nil || i.unknown.Load() {
		return
	}
	request.Instance = i.ID
	if asGuest {
		request.Guest, request.Name = i.Guest, i.Name
	}
}

// refused reports whether err says that the stage is of a version before the members of an instance. From
// then on the instance leaves them out.
func (i *Instance) refused(err error) bool {
	var refusal *SignError
	if i == nil || !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest ||
		refusal.Code != "bad_request" {
		return false
	}
	return !i.unknown.Swap(true)
}
