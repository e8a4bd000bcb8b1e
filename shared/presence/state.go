package presence

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"signedsocket/shared/connections"
	"signedsocket/shared/message"
	"signedsocket/shared/userid"
)

// state is what a room is like at one moment.
type state struct {
	users       []message.Sender // in the order of their ids, or nil in a crowd
	encoded     string           // users as JSON, or "" in a crowd
	count       int              // users
	connections int
}

// reading is a state, and the members that can be told of it.
type reading struct {
	state
	members []connections.Member // that speak chat.v2; none if the room has too many connections to be pushed to
}

// read reads the state of a room.
func (r *Rooms) read(ctx context.Context, room string, now time.Time, consistent bool) (reading, error) {
	var found reading
	names := make(map[string]connections.Member) // the newest connection of each user
	for page, err := range r.Members.NamedMembers(ctx, room, now, consistent) {
		if err != nil {
			return reading{}, fmt.Errorf("read room: %w", err)
		}
		for _, m := range page {
			found.connections++
			if known, ok := names[m.Subject]; !ok || isNewer(m, known) {
				names[m.Subject] = m
			}
			if m.Protocol >= withPresence && found.connections <= maxPushed { // mutate:presence-v1 => if true {
				found.members = append(found.members, m)
			}
		}
	}
	if found.connections > maxPushed {
		found.members = nil
	}
	err := found.fill(names, r.Limit)
	return found, err
}

func isNewer(a, b connections.Member) bool {
	return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), strings.Compare(a.ConnectionID, b.ConnectionID)) > 0
}

// fill sets the users of a state. They are named by their newest connections.
func (s *state) fill(newest map[string]connections.Member, limit int) error {
	s.count = len(newest)
	if s.count > limit { // mutate:presence-limit
		return nil
	}
	users := make([]message.Sender, 0, len(newest))
	for id, m := range newest {
		// Items of versions before presence have no name.
		users = append(users, message.Sender{Subject: id, Name: cmp.Or(m.Name, userid.Name(id))})
	}
	slices.SortFunc(users, byID)
	return s.name(users)
}

func byID(a, b message.Sender) int { return strings.Compare(a.Subject, b.Subject) }

// name sets the users, unless they are too long for a frame: then the state is that of a crowd.
func (s *state) name(users []message.Sender) error {
	encoded, err := json.Marshal(users)
	if err != nil {
		return fmt.Errorf("encode users: %w", err)
	}
	if s.count = len(users); len(encoded) > maxUsers { // mutate:presence-frame-size
		s.users, s.encoded = nil, ""
		return nil
	}
	s.users, s.encoded = users, string(encoded)
	return nil
}

// has reports whether a user is named in the state.
func (s state) has(subject string) bool {
	return slices.ContainsFunc(s.users, func(u message.Sender) bool { return u.Subject == subject })
}

// with returns the state with a user that may not be in it yet.
func (s state) with(user message.Sender, limit int) (state, error) {
	if s.users == nil {
		return s, nil
	}
	users := s.users
	if !s.has(user.Subject) {
		users = append(slices.Clone(users), user)
		slices.SortFunc(users, byID)
	}
	if len(users) > limit { // which may be lower than when the users were stored
		return state{count: len(users), connections: s.connections}, nil
	}
	err := s.name(users)
	return s, err
}

// countPrefix begins the digest of a crowd.
const countPrefix = "#"

// digest returns the text by which two states are compared.
func (s state) digest() string {
	if s.users == nil {
		return countPrefix + strconv.Itoa(s.count)
	}
	hash := sha256.Sum256([]byte(s.encoded))
	return base64.RawURLEncoding.EncodeToString(hash[:16])
}

// isNews reports whether a state has to be told to members that know what digest says, or perhaps something else if it
// is "". The number of a crowd is news only if it has moved by 5 %.
func (s state) isNews(digest string) bool {
	told, isCrowd := strings.CutPrefix(digest, countPrefix)
	known, err := strconv.Atoi(told)
	if s.users != nil || !isCrowd || err != nil {
		return s.digest() != digest
	}
	moved := s.count - known
	return 20*max(moved, -moved) >= max(known, 1) // mutate:presence-crowd => return moved != 0
}

// equals reports whether two states have the same users and as many connections.
func (s state) equals(other state) bool {
	return s.encoded == other.encoded && s.count == other.count && s.connections == other.connections
}

// change returns what becomes of an item with that digest. others are the members that can be told, without a client
// that gets an answer.
func (f reading) change(digest string, others []connections.Member, now time.Time) change {
	return change{
		state: f.state, at: now, isNews: f.isNews(digest),
		isKnown: len(others) == 0 && f.connections <= maxPushed,
	}
}

// frame returns the frame that tells a state.
func (s state) frame(room string, n int64) ([]byte, error) {
	return message.Presence{Room: room, N: n, Count: s.count, Users: s.users}.Encode()
}
