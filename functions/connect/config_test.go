package main

import (
	"strings"
	"testing"

	"signedsocket/shared/grant"
)

func goodEnvironment() map[string]string {
	return map[string]string{
		"TABLE_NAME": "table", "BANS_TABLE_NAME": "bans", "CALLBACK_URL": "https://host/prod", "ACCOUNT_ID": account,
		"SIGNER_CALLER": caller, "EXTRA_SIGNER_ARNS": "",
		"FRONTEND_ORIGIN": page, "ALLOWED_ORIGINS": "", "PROOF_OF_POSSESSION": "required",
		"CONNECTIONS_PER_USER": "3", "GUEST_CONNECTIONS": "4", "ROOM_SHARDS": "2",
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	environment := goodEnvironment()
	c, err := readConfig(environment)
	if err != nil || c.ConnectionsPerUser != 3 || c.GuestConnections != 4 || c.RoomShards != 2 ||
		c.signers.extra.Len() != 0 ||
		c.ProofOfPossession != grant.PossessionRequired || len(c.origins) != 1 || !c.origins[page] {
		t.Errorf("readConfig = %+v, %v", c, err)
	}
	environment["EXTRA_SIGNER_ARNS"] = "arn:aws:iam::111122223333:user/dev,arn:aws:iam::111122223333:role/ci"
	environment["ALLOWED_ORIGINS"] = "https://a.example,http://localhost:3000"
	delete(environment, "PROOF_OF_POSSESSION")
	c, err = readConfig(environment)
	if err != nil || c.signers.extra.Len() != 2 || len(c.origins) != 3 ||
		c.ProofOfPossession != grant.PossessionRequired {
		t.Errorf("readConfig = %+v, %v; want all signers and origins, and proofs by default", c, err)
	}
}

func TestAllProblemsOfTheEnvironmentAreNamed(t *testing.T) {
	t.Parallel()
	_, err := readConfig(
		map[string]string{"EXTRA_SIGNER_ARNS": "dev", "SIGNER_CALLER": "x", "CONNECTIONS_PER_USER": "many"})
	needed := []string{"TABLE_NAME", "ACCOUNT_ID", "SIGNER_CALLER", "FRONTEND_ORIGIN", "ConnectionsPerUser"}
	for _, name := range needed {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want all problems, %s among them", err, name)
		}
	}
	environment := goodEnvironment()
	bad := map[string]string{
		"CONNECTIONS_PER_USER": "0",
		"GUEST_CONNECTIONS":    "0",
		"ROOM_SHARDS":          "0",
		"PROOF_OF_POSSESSION":  "no",
		"FRONTEND_ORIGIN":      "*",
	}
	for name, value := range bad {
		environment[name] = value
	}
	_, err = readConfig(environment)
	for name := range bad {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("err = %v, want %s in it", err, name)
		}
	}
}

// TestEntriesThatCanHaveNoEffectAreLeftOut: they are named, and everything else holds.
func TestEntriesThatCanHaveNoEffectAreLeftOut(t *testing.T) {
	t.Parallel()
	environment := goodEnvironment()
	environment["EXTRA_SIGNER_ARNS"] = "arn:aws:iam::444455556666:user/dev,arn:aws:iam::111122223333:role/team/," +
		"arn:aws:iam::111122223333:role/ci,arn:aws:iam::111122223333:role/ci"
	environment["ALLOWED_ORIGINS"] = "https://a.example:443,http://localhost:80,https://A.example,*," +
		"https://b.example,https://b.example"
	c, err := readConfig(environment)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"444455556666", "role/team/", "https://A.example", `"*"`} {
		if c.leftOut == nil || !strings.Contains(c.leftOut.Error(), left) {
			t.Errorf("left out: %v, want %s in it", c.leftOut, left)
		}
	}
	if c.signers.extra.Len() != 1 || len(c.origins) != 4 || !c.origins["https://a.example"] ||
		!c.origins["http://localhost"] ||
		!c.origins[page] {
		t.Errorf("signers %+v, origins %v", c.signers.extra, c.origins)
	}
}
