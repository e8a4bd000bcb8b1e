package connections

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"signedsocket/shared/userid"
)

// MayConnect returns the error with which Connect would refuse a user who authenticated at that time
// and connects at now: ErrRevoked, ErrBanned or ErrGuestsFull. It is nil when Connect would admit the
// user, the own oldest connection giving way if need be. Any other error is a fault. The answer holds
// for this moment only: Connect decides.
func (s *Store) MayConnect(ctx context.Context, a Applicant, now time.Time) error {
	subject, authenticatedAt := a.UserID, a.AuthenticatedAt
	var projection *string // all of it: the guests' connections have to be counted
	if !userid.IsGuest(subject) {
		projection = aws.String("notBefore, bannedUntil")
	}
	user, err := s.get(ctx, userKey(subject), projection)
	if err != nil {
		return fmt.Errorf("read user: %w", err)
	}
	if err := revoked(user, authenticatedAt, now); err != nil {
		return err
	}
	if userid.IsGuest(subject) && s.guestsFull(user, now) {
		return ErrGuestsFull
	}
	return nil
}
