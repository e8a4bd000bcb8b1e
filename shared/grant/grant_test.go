package grant

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	instance  = "EBESExQVFhcYGRobHB0eHw"
	signIn    = "hash_of_a_sign-in_0123"
)

var epoch = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// full returns a grant that uses every parameter.
func full() Grant {
	return Grant{
		Subject: "alice", Name: "Alice Ä", Rooms: []string{"lobby", "team-1"},
		IssuedAt: epoch, ExpiresAt: epoch.Add(10 * time.Second), SessionEndsAt: epoch.Add(2 * time.Hour),
		AuthenticatedAt: epoch.Add(-time.Minute), Ticket: "AAECAwQFBgcICQoLDA0ODw", Challenge: challenge,
		ClientInstance: instance, SignIn: signIn, Moderator: true, ReadOnly: []string{"team-1"},
	}
}

func TestValuesHaveOneWrittenForm(t *testing.T) {
	t.Parallel()
	want := url.Values{
		"v": {"1"}, "sub": {"alice"}, "nm": {"QWxpY2Ugw4Q"}, "rm": {"lobby.team-1"}, "iat": {"1795327200"},
		"exp": {"1795327210"}, "sx": {"1795334400"}, "ait": {"1795327140"}, "jti": {"AAECAwQFBgcICQoLDA0ODw"},
		"cc": {challenge},
		"ci": {instance}, "si": {signIn}, "md": {"1"}, "ro": {"team-1"},
	}
	if diff := cmp.Diff(want, full().Values()); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if encoded := full().Values().Encode(); strings.ContainsAny(encoded, "%+") {
		t.Errorf("%q needs escaping, so two parsers may read it differently", encoded)
	}
}

func TestParseReadsTheOutputOfValues(t *testing.T) {
	t.Parallel()
	bare := full()
	bare.Challenge, bare.ClientInstance, bare.SignIn, bare.Moderator, bare.ReadOnly = "", "", "", false, nil
	for _, name := range []string{"cc", "ci", "si", "md", "ro"} {
		if bare.Values().Has(name) {
			t.Errorf("%s says nothing and is there", name)
		}
	}
	withSignIn := bare
	withSignIn.SignIn = signIn
	moderator, reader, readsSome := bare, bare, bare
	moderator.Moderator = true
	reader.ReadOnly = reader.Rooms
	readsSome.Rooms, readsSome.ReadOnly = []string{"d", "c", "b", "a"}, []string{"d", "b"}
	for name, want := range map[string]Grant{
		"full": full(), "bare": bare, "with sign-in": withSignIn, "of a moderator": moderator,
		"to read all rooms": reader, "to read some rooms": readsSome,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(want.Values())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("grant (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseIgnoresTheSignature(t *testing.T) {
	t.Parallel()
	values := full().Values()
	values["X-Amz-Signature"] = []string{"a", "b"}
	values["X-Amz-Anything"] = []string{""}
	if _, err := Parse(values); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	b64 := base64.RawURLEncoding.EncodeToString
	tests := []struct {
		name  string
		param string
		value []string // nil removes the parameter
		want  Refusal
	}{
		{"an unknown name", "foo", []string{"1"}, UnknownParameter},
		{"our name in another case", "Sub", []string{"alice"}, UnknownParameter},
		{"the signature in another case", "x-amz-signature", []string{"a"}, UnknownParameter},
		{"a signature hidden in a prefix", "X-Amz", []string{"a"}, UnknownParameter},
		{"no version", "v", nil, "missing_v"},
		{"another version", "v", []string{"2"}, "malformed_v"},
		{"a padded version", "v", []string{"01"}, "malformed_v"},
		{"no subject", "sub", nil, "missing_sub"},
		{"an empty list of values", "sub", []string{}, "missing_sub"},
		{"the same subject twice", "sub", []string{"alice", "alice"}, "repeated_sub"},
		{"an empty subject", "sub", []string{""}, "malformed_sub"},
		{"a long subject", "sub", []string{strings.Repeat("a", 65)}, "malformed_sub"},
		{"a subject with a separator", "sub", []string{"a#b"}, "malformed_sub"},
		{"a subject with a line break", "sub", []string{"a\n"}, "malformed_sub"},
		{"no name", "nm", nil, "missing_nm"},
		{"an empty name", "nm", []string{""}, "malformed_nm"},
		{"a padded name", "nm", []string{"QQ=="}, "malformed_nm"},
		{"a name with a line break in its encoding", "nm", []string{"QWxp\nY2U"}, "malformed_nm"},
		{"a name with spare bits set", "nm", []string{"QR"}, "malformed_nm"},
		{"a long name", "nm", []string{b64([]byte(strings.Repeat("a", 129)))}, "malformed_nm"},
		{"a name that is not text", "nm", []string{b64([]byte("\xff"))}, "malformed_nm"},
		{"a name of two lines", "nm", []string{b64([]byte("a\nb"))}, "malformed_nm"},
		{"a name with an override", "nm", []string{b64([]byte("a\u202eb"))}, "malformed_nm"},
		{"a name not in normal form", "nm", []string{b64([]byte("e\u0301"))}, "malformed_nm"},
		{"no room", "rm", []string{""}, "malformed_rm"},
		{"an empty room between", "rm", []string{"a..b"}, "malformed_rm"},
		{"a room in capitals", "rm", []string{"Lobby"}, "malformed_rm"},
		{"a long room", "rm", []string{strings.Repeat("a", 33)}, "malformed_rm"},
		{"nine rooms", "rm", []string{"a.b.c.d.e.f.g.h.i"}, "malformed_rm"},
		{"a room twice", "rm", []string{"a.b.a"}, "malformed_rm"},
		{"a signed number", "iat", []string{"+1795327200"}, "malformed_iat"},
		{"a negative number", "exp", []string{"-1"}, "malformed_exp"},
		{"a number with leading zero", "sx", []string{"01795334400"}, "malformed_sx"},
		{"zero", "ait", []string{"0"}, "malformed_ait"},
		{"a number with a point", "iat", []string{"1795327200.0"}, "malformed_iat"},
		{"digits of another script", "iat", []string{"١٧٩٥"}, "malformed_iat"},
		{"a huge number", "exp", []string{"179532721000"}, "malformed_exp"},
		{"no ticket", "jti", nil, "missing_jti"},
		{"a short ticket", "jti", []string{"AAECAwQFBgcICQoLDA0O"}, "malformed_jti"},
		{"a ticket with spare bits set", "jti", []string{"AAECAwQFBgcICQoLDA0ODx"}, "malformed_jti"},
		{"an empty challenge", "cc", []string{""}, "malformed_cc"},
		{"a short challenge", "cc", []string{challenge[:42]}, "malformed_cc"},
		{"two challenges", "cc", []string{challenge, challenge}, "repeated_cc"},
		{"a challenge without value", "cc", []string{}, "missing_cc"},
		{"the pool of all guests", "sub", []string{"guest-pool"}, "malformed_sub"},
		{"half a guest", "sub", []string{"guest-alice"}, "malformed_sub"},
		{"half a hash", "sub", []string{"h--alice"}, "malformed_sub"},
		{"an empty client instance", "ci", []string{""}, "malformed_ci"},
		{"a short client instance", "ci", []string{instance[:21]}, "malformed_ci"},
		{"a client instance with spare bits set", "ci", []string{instance[:21] + "x"}, "malformed_ci"},
		{"two client instances", "ci", []string{instance, instance}, "repeated_ci"},
		{"an empty sign-in", "si", []string{""}, "malformed_si"},
		{"a short sign-in", "si", []string{signIn[:21]}, "malformed_si"},
		{"a long sign-in", "si", []string{signIn + "a"}, "malformed_si"},
		{"a sign-in with a separator", "si", []string{signIn[:21] + "#"}, "malformed_si"},
		{"two sign-ins", "si", []string{signIn, signIn}, "repeated_si"},
		{"an empty moderator", "md", []string{""}, "malformed_md"},
		{"no moderator", "md", []string{"0"}, "malformed_md"},
		{"a moderator in words", "md", []string{"true"}, "malformed_md"},
		{"a padded moderator", "md", []string{"01"}, "malformed_md"},
		{"a moderator without value", "md", []string{}, "missing_md"},
		{"two moderators", "md", []string{"1", "1"}, "repeated_md"},
		{"an empty list of rooms to read", "ro", []string{""}, "malformed_ro"},
		{"a room to read that is not in rm", "ro", []string{"news"}, "malformed_ro"},
		{"a room to read that is not in rm behind one that is", "ro", []string{"lobby.news"}, "malformed_ro"},
		{"rooms to read in another order", "ro", []string{"team-1.lobby"}, "malformed_ro"},
		{"a room to read twice", "ro", []string{"lobby.lobby"}, "malformed_ro"},
		{"an empty room to read behind another", "ro", []string{"lobby."}, "malformed_ro"},
		{"a room to read with its flag", "ro", []string{"lobby:r"}, "malformed_ro"},
		{"a room to read in capitals", "ro", []string{"Lobby"}, "malformed_ro"},
		{"two lists of rooms to read", "ro", []string{"lobby", "lobby"}, "repeated_ro"},
		{"rooms with a flag", "rm", []string{"lobby:r"}, "malformed_rm"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			values := full().Values()
			if values[test.param] = test.value; test.value == nil {
				delete(values, test.param)
			}
			got, err := Parse(values)
			if !errors.Is(err, test.want) || got.Subject != "" {
				t.Errorf("Parse = %v, %v; want no grant and %v", got, err, test.want)
			}
		})
	}
}

func TestParseRefusesAnEmptyQuery(t *testing.T) {
	t.Parallel()
	if _, err := Parse(nil); !errors.Is(err, Refusal("missing_v")) {
		t.Errorf("err = %v", err)
	}
}

func TestCheckTimes(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return epoch.Add(d) }
	tests := []struct {
		name         string
		now          time.Time
		iat, exp, sx time.Duration
		want         error
	}{
		{"at once", at(0), 0, 10 * time.Second, time.Hour, nil},
		{"in the last moment", at(10 * time.Second), 0, 10 * time.Second, time.Hour, nil},
		{"just after it", at(10*time.Second + time.Millisecond), 0, 10 * time.Second, time.Hour, Expired},
		{"long after it", at(time.Hour), 0, 10 * time.Second, 2 * time.Hour, Expired},
		{"the signer's clock ahead a little", at(-2 * time.Second), 0, 10 * time.Second, time.Hour, nil},
		{"the signer's clock ahead too far", at(-2*time.Second - time.Millisecond), 0, 10 * time.Second, time.Hour,
			NotYetValid},
		{"valid for a minute", at(0), 0, time.Minute, time.Hour, nil},
		{"valid for longer", at(0), 0, 61 * time.Second, time.Hour, WrongLifetime},
		{"valid for no time", at(0), 0, 0, time.Hour, WrongLifetime},
		{"valid backwards", at(-time.Second), 0, -time.Second, time.Hour, WrongLifetime},
		{"a session that ends now", at(0), 0, 10 * time.Second, 0, SessionOver},
		{"a session that has a moment left", at(0), 0, 10 * time.Second, time.Second, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			grant := Grant{IssuedAt: at(test.iat), ExpiresAt: at(test.exp), SessionEndsAt: at(test.sx)}
			if err := grant.CheckTimes(test.now); !errors.Is(err, test.want) {
				t.Errorf("CheckTimes = %v, want %v", err, test.want)
			}
		})
	}
}

func TestTicketsDiffer(t *testing.T) {
	t.Parallel()
	first, second := NewTicket(), NewTicket()
	if first == second || !validTicket(first) || !validTicket(second) {
		t.Errorf("tickets %q and %q", first, second)
	}
}

func TestGrantHidesItsSecretsWhenPrinted(t *testing.T) {
	t.Parallel()
	grant := full()
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if out := fmt.Sprintf(verb, grant); strings.Contains(out, grant.Ticket) ||
			strings.Contains(out, grant.Challenge) {
			t.Errorf("%s prints %q", verb, out)
		}
	}
}

func FuzzParse(f *testing.F) {
	values := full().Values()
	f.Add(values.Encode())
	f.Add(values.Encode() + "&X-Amz-Signature=abc")
	f.Add("v=1&sub=a&nm=QQ&rm=a&iat=1&exp=2&sx=3&ait=1&jti=AAECAwQFBgcICQoLDA0ODw")
	f.Add("v=1&sub=guest-pool&nm=QQ&rm=a&iat=1&exp=2&sx=3&ait=1&jti=AAECAwQFBgcICQoLDA0ODw&si=&ci=" + instance)
	f.Add("v=1&sub=a&nm=QQ&rm=a.b&iat=1&exp=2&sx=3&ait=1&jti=AAECAwQFBgcICQoLDA0ODw&md=1&ro=a.b")
	f.Add("v=1&sub=a&nm=QQ&rm=a.b&iat=1&exp=2&sx=3&ait=1&jti=AAECAwQFBgcICQoLDA0ODw&md=1&md=1&ro=b.a")
	f.Add("v=1&v=1")
	f.Add("sub=%00&cc=")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		grant, err := Parse(values)
		if err != nil {
			return
		}
		maps.DeleteFunc(values, func(name string, _ []string) bool { return strings.HasPrefix(name, "X-Amz-") })
		if diff := cmp.Diff(values, grant.Values()); diff != "" {
			t.Errorf("a second way of writing the same grant (-parsed +written):\n%s", diff)
		}
	})
}
