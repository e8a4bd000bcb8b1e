package stageclient

import (
	"encoding/base64"
	"errors"
	"net/http"
	"sync/atomic"
)

// Instance identifies a client to signurl in all of its connections. Each running client needs its own. Its methods may
// be called concurrently.
type Instance struct {
	ID    string // 22 characters; a new connection with this ID replaces the last one
	Guest string // a secret of 43 characters that makes a client the same guest again; may be empty
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

// describe adds the instance to a request. It adds the secret only to a request without a token or signature.
func (i *Instance) describe(request *signRequest, asGuest bool) {
	if i == nil || i.unknown.Load() {
		return
	}
	request.Instance = i.ID
	if asGuest {
		request.Guest, request.Name = i.Guest, i.Name
	}
}

// refused reports whether err comes from a stage that is older than instances. From then on requests leave out the
// members of the instance.
func (i *Instance) refused(err error) bool {
	var refusal *SignError
	if i == nil || !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest ||
		refusal.Code != "bad_request" {
		return false
	}
	return !i.unknown.Swap(true)
}
