package connections

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"signedsocket/shared/userid"
)

func TestBansStandInATableOfTheirOwn(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{RevocationDays: 10})
	const carol = "arn:aws:iam::111122223333:user/carol"
	r := Revocation{Subject: "alice", BannedUntil: epoch.Add(time.Hour), By: carol, Why: "spam"}
	if _, err := store.Revoke(t.Context(), r, epoch); err != nil {
		t.Fatal(err)
	}
	same(t, "ban", map[string]string{
		"id": "alice", "notBefore": "1795327200", "bannedUntil": "1795330800", "at": "1795327200", "by": r.By,
		"why":       "spam",
		"expiresAt": "1796194800", // ten days after its end
	}, table.ban(t, "alice"))
	same(t, "the other table", map[string]map[string]string{}, table.items(t))
	if _, err := store.Connect(t.Context(), admission("c="), epoch); !errors.Is(err, ErrRevoked) {
		t.Errorf("Connect: %v", err)
	}
	signedInAgain := admission("c=")
	signedInAgain.AuthenticatedAt = epoch.Add(time.Second)
	if _, err := store.Connect(t.Context(), signedInAgain, epoch); !errors.Is(err, ErrBanned) {
		t.Errorf("Connect after signing in again: %v", err)
	}
	same(t, "items after refusals", map[string]map[string]string{}, table.items(t))
	if _, err := store.Connect(t.Context(), signedInAgain, r.BannedUntil); err != nil {
		t.Errorf("Connect after the ban: %v", err)
	}
}

// Bans that the version before wrote into the USER item hold for today's id and for the id of that version. They are
// lifted like others.
func TestOldBansHoldAndAreLifted(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	for _, subject := range []string{"alice", "old-form"} {
		table.set(t, userKey(subject), map[string]int64{"bannedUntil": epoch.Unix() + 100})
	}
	may := func(want error) {
		t.Helper()
		for _, a := range []Applicant{{UserID: "alice", AuthenticatedAt: epoch},
			{UserID: "h--new", OldUserID: "old-form", AuthenticatedAt: epoch}} {
			if err := store.MayConnect(t.Context(), a, epoch); !errors.Is(err, want) {
				t.Errorf("%+v: %v, want %v", a, err, want)
			}
		}
		if _, err := store.Connect(t.Context(), admission("c="), epoch); !errors.Is(err, want) {
			t.Errorf("Connect: %v, want %v", err, want)
		}
	}
	may(ErrBanned)
	for _, subject := range []string{"alice", "old-form", "never-seen"} {
		if _, err := store.Revoke(t.Context(), Revocation{Subject: subject, BannedUntil: time.Unix(0, 0)},
			epoch.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	may(nil)
	if _, made := table.items(t)["USER#never-seen USER"]; made {
		t.Error("lifting a ban made an item")
	}
}

func TestMarksOfTheVersionBeforeHoldUnderTheOldID(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	applicant := Applicant{UserID: "h--new", OldUserID: "old-form", AuthenticatedAt: epoch}
	if _, err := store.Revoke(t.Context(), Revocation{Subject: "old-form"}, epoch); err != nil {
		t.Fatal(err)
	}
	if err := store.MayConnect(t.Context(), applicant, epoch); err != nil {
		t.Errorf("the ban of another user, whose sub is the old id: %v", err)
	}
	table.set(t, userKey("old-form"), map[string]int64{"notBefore": epoch.Unix()})
	if err := store.MayConnect(t.Context(), applicant, epoch); !errors.Is(err, ErrRevoked) {
		t.Errorf("a mark of the version before: %v, want %v", err, ErrRevoked)
	}
}

func TestRevokingGuests(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	one, other := guestAdmission("one="), guestAdmission("other=")
	connect(t, store, one)
	connect(t, store, other)
	ids, err := store.Revoke(t.Context(), Revocation{Subject: one.Subject}, epoch)
	if err != nil || !slices.Equal(ids, []string{"one="}) {
		t.Errorf("revoking one guest concerns %q, %v", ids, err)
	}
	again := func(a Admission, id string) error {
		a.ConnectionID, a.Ticket = id, id
		_, err := store.Connect(t.Context(), a, epoch)
		may := store.MayConnect(t.Context(), Applicant{UserID: a.Subject, AuthenticatedAt: a.AuthenticatedAt}, epoch)
		if errors.Unwrap(err) != may && err != nil {
			t.Errorf("Connect: %v, MayConnect: %v", err, may)
		}
		return err
	}
	if err := again(one, "one2="); !errors.Is(err, ErrRevoked) {
		t.Errorf("the revoked guest: %v", err)
	}
	if err := again(other, "other2="); err != nil {
		t.Errorf("another guest: %v", err)
	}
	ids, err = store.Revoke(t.Context(), Revocation{Subject: userid.Pool}, epoch)
	if err != nil || len(ids) != 3 {
		t.Errorf("revoking all guests concerns %q, %v", ids, err)
	}
	if err := again(other, "other3="); !errors.Is(err, ErrRevoked) {
		t.Errorf("a guest after all were revoked: %v", err)
	}
}

func TestSigningOutConcernsOneSignIn(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	for id, signIn := range map[string]string{"a=": "first", "b=": "first", "c=": "second", "d=": ""} {
		a := admission(id)
		a.SignIn = signIn
		connect(t, store, a)
	}
	order := SignOut{Subject: "alice", SignIn: "first", Until: epoch.Add(time.Hour), By: "page"}
	ids, err := store.SignOut(t.Context(), order, epoch)
	slices.Sort(ids)
	if err != nil || !slices.Equal(ids, []string{"a=", "b="}) {
		t.Errorf("SignOut = %q, %v", ids, err)
	}
	for _, test := range []struct {
		signIn string
		now    time.Time
		want   error
	}{
		{"first", epoch, ErrRevoked}, {"first", order.Until, nil}, {"second", epoch, nil}, {"", epoch, nil},
	} {
		a := admission("e=" + test.signIn + test.now.String())
		a.SignIn, a.AuthenticatedAt = test.signIn, test.now
		if _, err := store.Connect(t.Context(), a, test.now); !errors.Is(err, test.want) {
			t.Errorf("Connect with the sign-in %q: %v, want %v", test.signIn, err, test.want)
		}
		may := Applicant{UserID: "alice", SignIn: test.signIn, AuthenticatedAt: test.now}
		if err := store.MayConnect(t.Context(), may, test.now); !errors.Is(err, test.want) {
			t.Errorf("MayConnect with the sign-in %q: %v, want %v", test.signIn, err, test.want)
		}
	}
	if _, err := store.SignOut(t.Context(), SignOut{Subject: "alice"}, epoch); err == nil {
		t.Error("a sign-out without a sign-in was taken")
	}
	for key := range table.scan(t, table.bans) {
		if !strings.Contains(key, "signin#first") {
			t.Errorf("the table of bans holds %s", key)
		}
	}
}

// admitting is an API in which a connection is admitted at the last moment before the ban is written.
type admitting struct {
	API
	admit func()
	order []string
}

func (a *admitting) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	a.order = append(a.order, "ban")
	if a.admit != nil {
		a.admit()
		a.admit = nil
	}
	return a.API.UpdateItem(ctx, in, o...)
}

func (a *admitting) TransactGetItems(
	ctx context.Context, in *dynamodb.TransactGetItemsInput, o ...func(*dynamodb.Options),
) (*dynamodb.TransactGetItemsOutput, error) {
	a.order = append(a.order, "list")
	return a.API.TransactGetItems(ctx, in, o...)
}

func TestTheBanComesBeforeTheList(t *testing.T) {
	t.Parallel()
	table := newTable(t, http.DefaultTransport)
	store := New(table.client, table.tables(), Limits{})
	api := &admitting{API: table.client, admit: func() { connect(t, store, admission("late=")) }}
	ids, err := New(api, table.tables(), Limits{}).Revoke(t.Context(), Revocation{Subject: "alice"}, epoch)
	if err != nil || !slices.Equal(ids, []string{"late="}) {
		t.Errorf("Revoke = %q, %v; want what was admitted before the ban", ids, err)
	}
	if len(api.order) < 2 || api.order[0] != "ban" ||
		slices.Contains(api.order[slices.Index(api.order, "list"):], "ban") {
		t.Errorf("order %q, want the ban first", api.order)
	}
}

func TestABanOfAtLeastAnHourShortensNone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ earlier, atLeast, want time.Duration }{
		{0, time.Hour, time.Hour}, {time.Minute, time.Hour, time.Hour}, {48 * time.Hour, time.Hour, 48 * time.Hour},
	} {
		table := newTable(t, http.DefaultTransport)
		store := New(table.client, table.tables(), Limits{})
		if test.earlier > 0 {
			earlier := Revocation{Subject: "alice", BannedUntil: epoch.Add(test.earlier)}
			if _, err := store.Revoke(t.Context(), earlier, epoch); err != nil {
				t.Fatal(err)
			}
		}
		now := epoch.Add(time.Second)
		if _, err := store.Revoke(t.Context(),
			Revocation{Subject: "alice", BannedUntil: epoch.Add(test.atLeast), AtLeast: true}, now); err != nil {
			t.Fatal(err)
		}
		applicant := Applicant{UserID: "alice", AuthenticatedAt: epoch.Add(72 * time.Hour)}
		for at, want := range map[time.Duration]error{test.want - time.Second: ErrBanned, test.want: nil} {
			if err := store.MayConnect(t.Context(), applicant, epoch.Add(at)); !errors.Is(err, want) {
				t.Errorf("%+v: at %s %v, want %v", test, at, err, want)
			}
		}
		applicant.AuthenticatedAt = now
		if err := store.MayConnect(t.Context(), applicant, epoch.Add(test.want)); !errors.Is(err, ErrRevoked) {
			t.Errorf("%+v: an old sign-in: %v", test, err)
		}
	}
}
