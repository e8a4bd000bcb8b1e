package userid

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

const (
	stack  = "arn:aws:cloudformation:eu-central-1:123456789012:stack/chat/1"
	issuer = "https://issuer.example"
)

func TestSubIsTheIDOnlyIfItCannotBeMistaken(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("a", 64)
	tests := []struct{ name, sub, want string }{
		{"a word", "alice", "alice"},
		{"as long as allowed", longest, longest},
		{"the old form of another user", Old(issuer, "victim@example.com"), Old(issuer, "victim@example.com")},
		// printf 'https://issuer.example\0auth0|alice' | openssl dgst -sha256 -hmac "$stack" -binary | basenc
		// --base64url
		{"other characters", "auth0|alice", "h--12ccCHwd6kig--drTsRUmwR3ii55kEKo"},
		{"like a guest's id", "guest-alice", "h--Btn7JEc44lJwPvB0kOZyztTmI9NVXojg"},
		{"too long", longest + "a", ""},
		{"a guest's id", NewGuest(), ""},
		{"that of all guests", Pool, ""},
		{"a hash", From(stack, issuer, "victim@example.com"), ""},
		{"like a hash", "h--alice", ""},
		{"only the prefix", "h--", ""},
		{"the longest", strings.Repeat("é", 127) + "a", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := From(stack, issuer, test.sub)
			hashed := regexp.MustCompile(`^h--[A-Za-z0-9_-]{32}$`).MatchString(got)
			if test.want != "" && got != test.want || test.want == "" && (!hashed || got == test.sub) {
				t.Errorf("From(%q) = %q, want %q", test.sub, got, test.want)
			}
			if !Valid(got) || IsGuest(got) || !ValidSub(test.sub) {
				t.Errorf("%q is no user's id", got)
			}
			if test.want == "" && (From("other", issuer, test.sub) == got || From(stack, issuer+"/", test.sub) == got) {
				t.Error("users of two stacks or issuers are one")
			}
		})
	}
}

// Pairs of an issuer and a sub that are the same text when they are put together.
func TestIssuerAndSubAreKeptApart(t *testing.T) {
	t.Parallel()
	if From(stack, "https://a.example", "/b|c") == From(stack, "https://a.example/b", "|c") {
		t.Error("two users are one")
	}
}

func TestAnIDIsNoLongerThePreviousHashOfAnotherUser(t *testing.T) {
	t.Parallel()
	const victim = "victim@example.com"
	if impostor := Old(issuer, victim); From(stack, issuer, impostor) == From(stack, issuer, victim) {
		t.Error("a sub that is the hash of another one gets its id")
	}
	if impostor := From(stack, issuer, victim); From(stack, issuer, impostor) == impostor {
		t.Error("a sub that is the id of another user gets that id")
	}
}

func TestOldIDs(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, sub, want string }{
		{"a word", "alice", ""},
		// printf 'https://issuer.exampleauth0|alice' | openssl dgst -sha256 -binary | basenc --base64url | cut -c1-32
		{"other characters", "auth0|alice", "axsu4hNX-HtsizaUqUjy80bBLQKEyP_q"},
		{"like a guest's id", "guest-alice", "XjuqJOK92Gt_WoKr95nfaJMWP01l53eG"},
		{"like a hash", "h--alice", "h--alice"},
	}
	for _, test := range tests {
		id, old := Forms(stack, issuer, test.sub)
		if old != test.want || id != From(stack, issuer, test.sub) {
			t.Errorf("%s: %q and %q, want %q as the old id", test.name, id, old, test.want)
		}
	}
}

func TestOperatorsGiveIDsOrSubs(t *testing.T) {
	t.Parallel()
	hashed, guest := From(stack, issuer, "auth0|alice"), NewGuest()
	tests := []struct{ value, id, old string }{
		{"alice", "alice", ""},
		{"auth0|alice", hashed, Old(issuer, "auth0|alice")},
		{hashed, hashed, ""},
		{guest, guest, ""},
		{Pool, Pool, ""},
		{"guest-alice", From(stack, issuer, "guest-alice"), Old(issuer, "guest-alice")},
		{"h--alice", From(stack, issuer, "h--alice"), "h--alice"},
		{Old(issuer, "auth0|alice"), Old(issuer, "auth0|alice"), ""},
	}
	for _, test := range tests {
		if id, old := FromOperator(stack, issuer, test.value); id != test.id || old != test.old {
			t.Errorf("%q is %q and %q, want %q and %q", test.value, id, old, test.id, test.old)
		}
	}
}

func TestGuestsHaveIDsAndNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	ids, names := make(map[string]bool), make(map[string]bool)
	for range 100 {
		id := NewGuest()
		if !regexp.MustCompile(`^guest-[a-z2-7]{26}$`).MatchString(id) || ids[id] || !Valid(id) {
			t.Errorf("id %q", id)
		}
		name := Name(id)
		if !regexp.MustCompile(`^guest-[a-z2-7]{6}$`).MatchString(name) || names[name] {
			t.Errorf("name %q", name)
		}
		ids[id], names[name] = true, true
	}
}

func TestGuestKeepsTheIDOfItsSecret(t *testing.T) {
	t.Parallel()
	var secret [32]byte
	for i := range secret {
		secret[i] = byte(i)
	}
	// printf 'signedsocket guest\0…' | openssl dgst -sha256 -binary | base32 | tr A-Z a-z | cut -c1-26
	if got, want := Guest(secret), "guest-xfspcjioerusen47ndddkdgooq"; got != want || !Valid(got) {
		t.Errorf("id %q, want %q", got, want)
	}
	if other := Guest([32]byte{1}); other == Guest(secret) {
		t.Error("two secrets have one id")
	}
}

func TestGuestsAreCountedTogetherAndUsersAlone(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		NewGuest(): Pool, Pool: Pool, "guest-": Pool, "guest-alice": Pool,
		"alice": "alice", "guest": "guest", "guests": "guests", "Guest-1": "Guest-1", "a-guest-1": "a-guest-1", "": "",
	} {
		if got := CountedAs(id); got != want || IsGuest(id) != (want == Pool) {
			t.Errorf("%q is counted as %q, a guest: %t", id, got, IsGuest(id))
		}
	}
}

func TestValidIDs(t *testing.T) {
	t.Parallel()
	letters, digits := strings.Repeat("a2", 13), strings.Repeat("A_", 16)
	for id, want := range map[string]bool{
		"a": true, strings.Repeat("a", 64): true, "h-": true, "H--x": true, "guest": true, "-": true,
		"guest-" + letters: true, "h--" + digits: true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "a\n": false, "é": false, "a=": false,
		Pool: false, "guest-": false, "guest-" + letters + "a": false, "guest-" + letters[1:]: false,
		"guest-" + letters[1:] + "A": false, "guest-" + letters[1:] + "1": false,
		"h--": false, "h--" + digits[1:]: false, "h--" + digits + "a": false, "h--" + digits[1:] + "+": false,
	} {
		if Valid(id) != want {
			t.Errorf("Valid(%q) = %t", id, !want)
		}
	}
}

func TestValidSubs(t *testing.T) {
	t.Parallel()
	for sub, want := range map[string]bool{
		"a": true, "auth0|alice": true, "alice@example.com": true, "Zoë": true, " ": true,
		strings.Repeat("a", 255): true,
		"":                       false, strings.Repeat("a", 256): false, strings.Repeat("é", 128): false,
		"a\x00b": false, "a\nb": false, "a\x7fb": false, "a\u0085b": false, "a\xffb": false,
	} {
		if ValidSub(sub) != want {
			t.Errorf("ValidSub(%q) = %t", sub, !want)
		}
	}
}

func TestNameOfAUserIsAShortID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"bob": "bob", "alexandria": "alexandr", "h--abcdefghijkl": "abcdefgh", "guest-abcdefghijkl": "guest-abcdef",
		"": "",
	} {
		if got := Name(id); got != want {
			t.Errorf("name of %q: %q, want %q", id, got, want)
		}
	}
}

func TestLogTellsUsersApartAndDoesNotNameThem(t *testing.T) {
	t.Parallel()
	alice := LogAttr("table", "alice")
	if alice.Key != "subHash" || len(alice.Value.String()) != 16 || !alice.Equal(LogAttr("table", "alice")) {
		t.Errorf("alice is %v", alice)
	}
	if alice.Equal(LogAttr("table", "bob")) || alice.Equal(LogAttr("other", "alice")) {
		t.Error("another user, or one of another deployment, is alice too")
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", alice)
	if strings.Contains(out.String(), "alice") {
		t.Errorf("the line is %s", &out)
	}
}

func FuzzIDsOfTwoUsersDiffer(f *testing.F) {
	f.Add("alice", "auth0|alice")
	f.Add("h--", "guest-pool")
	f.Add(Old(issuer, "a b"), "a b")
	f.Fuzz(func(t *testing.T, one, other string) {
		if !ValidSub(one) || !ValidSub(other) {
			return
		}
		id, second := From(stack, issuer, one), From(stack, issuer, other)
		if !Valid(id) || IsGuest(id) || (one != other) != (id != second) {
			t.Errorf("%q is %q, and %q is %q", one, id, other, second)
		}
		if again := From(stack, issuer, id); again == id && id != one {
			t.Errorf("the id %q of %q is that of another user", id, one)
		}
	})
}
