package main

import "slices"

// Where the tests are that notice mutations.
const (
	attackTests = "./test/attack"
	endToEnd    = "./test/e2e"
	rules       = "./localstage/internal/template"
)

// mutations are all that are tried: the protections in the code and in the
// gateway's settings, then the policies of the roles.
func mutations() []mutation {
	return slices.Concat(handshakes(), tickets(), urls(), frames(), logs(), settings(), policies())
}

// protection is a mutation of which the attack suite alone is the witness.
func protection(name, file, from, to string, tests ...string) mutation {
	return mutation{name: name, file: file, edit: replace(from, to), packages: []string{attackTests}, tests: tests}
}

// by names other packages as the place of a mutation's tests.
func (m mutation) by(packages ...string) mutation {
	m.packages = packages
	return m
}

// handshakes are the checks that connect makes before the table is asked.
func handshakes() []mutation {
	const (
		handler, signer  = "functions/connect/handler.go", "functions/connect/signer.go"
		origin, proof    = "functions/connect/origin.go", "functions/connect/proof.go"
		grant            = "shared/grant/parse.go"
		grants, leaked   = "TestGrantsThatNoSignerMakesAreRefused", "TestALeakedURLIsWorthNothing"
		parameters, site = "TestParametersThatAreNoGrantAreRefused", "TestOtherSitesCannotConnect"
	)
	return []mutation{
		protection("signer: any", signer, "	}\n	return errUnknownSigner\n}", "	}\n	return nil\n}", "TestWhoeverElseSignsIsRefused"),
		protection("signer: none", signer, "return errNoIdentity", "return nil", "TestARouteThatLostItsAuthorizationLetsNobodyIn"),
		protection("shape: unknown parameter", grant, "return Grant{}, UnknownParameter", "continue", parameters),
		protection("shape: parameter twice", grant, "case len(values) > 1:", "case false:", parameters),
		protection("shape: malformed parameter", grant, "case !valid(values[0]):", "case false:", parameters, grants),
		protection("times: issued later", grant, "case g.IssuedAt.After(now.Add(maxSkew)):", "case false:", grants),
		protection("times: exp", grant, "case now.After(g.ExpiresAt):", "case false:", grants),
		protection("times: lifetime", grant, "case lifetime <= 0, lifetime > maxLifetime:", "case lifetime < -maxLifetime:", grants),
		protection("times: sx", grant, "case !g.SessionEndsAt.After(now):", "case false:", grants),
		protection("origin: not checked", handler, "if err := h.origins.check(event); err != nil {", "if err := h.origins.check(event); err == errNoOrigin {", site),
		protection("origin: any", origin, "case !o[values[0]]:", "case false:", site),
		protection("origin: several", origin, "case len(values) > 1:", "case false:", site),
		protection("origin: none", origin, "	case len(values) == 0:\n		return errNoOrigin", "	case len(values) == 0:\n		return nil", "TestAHandshakeWithoutAnOriginIsRefused"),
		protection("proof: not checked", handler, "offeredProtocols(event)); err != nil {", "offeredProtocols(event)); err == errNoChallenge {", leaked),
		protection("proof: none", proof, "	case proofs == 0:\n		return errNoProof", "	case proofs == 0:\n		return nil", leaked),
		protection("proof: any", proof, "[]byte(challenge)) != 1 {", "[]byte(challenge)) > 1 {", leaked),
		protection("proof: no challenge", proof, "		return errNoChallenge", "		return nil", "TestAURLWithoutAChallengeIsRefused"),
	}
}

// tickets are what connect's transaction holds, and revocation.
func tickets() []mutation {
	const (
		connect = "shared/connections/connect.go"
		revoked = "TestWhoWasRevokedGetsNeitherAURLNorAConnection"
	)
	return []mutation{
		protection("ticket: used twice", connect, `aws.String("attribute_not_exists(pk)")`, `aws.String("attribute_not_exists(pk) OR attribute_exists(pk)")`,
			"TestALeakedURLIsWorthNothing"),
		protection("user cap", connect, "OR n < :max)", "OR n < :max OR n >= :max)", "TestOneUserHoldsNoMoreConnectionsThanAllowed"),
		protection("revocation: connect", "shared/connections/ban.go", "OR notBefore < :ait)", "OR notBefore < :ait OR notBefore >= :ait)", revoked),
		protection("ban: connect", "shared/connections/ban.go", "OR bannedUntil <= :now)", "OR bannedUntil <= :now OR bannedUntil > :now)", revoked),
		protection("revocation: signurl", "functions/signurl/handler.go",
			"case errors.Is(err, connections.ErrRevoked), errors.Is(err, connections.ErrBanned):", "case errors.Is(err, connections.ErrRevoked) && err == nil:", revoked),
		protection("revocation: nothing written", "shared/connections/revoke.go", `"SET notBefore = :now"`, `"SET notBeforeX = :now"`,
			"TestARevokedUserIsOutAndStaysOut").by(endToEnd),
		protection("kick: the user is let in again", "shared/connections/strike.go", "return true, s.keepOut(ctx, subject, now)", "return true, nil",
			"TestAKickedUserStaysOutAndOthersNoticeNothing").by(endToEnd),
		protection("kick: for ever", "shared/connections/kick.go", "until = min(until, min(at, now.Unix())+int64(longestKick/time.Second))", "_ = at",
			"TestFalseKicksEnd").by("./shared/connections"),
		protection("rate: a new window for each connection", "shared/connections/connect.go", "base := recent(seen.rate, now)", "base := recent(nil, now)",
			"TestReconnectingGivesNoNewWindow").by("./shared/connections"),
		protection("rate: counted twice", "shared/connections/rate.go", "found[name] -= started", "_ = started",
			"TestNothingIsCountedTwice").by("./shared/connections"),
		protection("rate: messages during a removal", "shared/connections/forget.go", `"connectedAt = :seen AND " + strings.Join(condition.parts, " AND ")`, `"connectedAt = :seen AND (" + strings.Join(condition.parts, " AND ") + " OR attribute_exists(pk))"`,
			"TestMessagesDuringARemovalAreCarried").by("./shared/connections"),
		protection("urls: uncounted", "shared/connections/urls.go", `"attribute_not_exists(#minute) OR #minute < :max"`, `"attribute_not_exists(#minute) OR #minute < :max OR #minute >= :max"`,
			"TestURLsAreCountedByUser").by("./shared/connections"),
		protection("client instance: of any guest", "shared/connections/evict.go", `sha256.Sum256([]byte(subject + "\x00" + clientInstance))`, `sha256.Sum256([]byte(clientInstance))`,
			"TestAGuestsClientMeansNothingToAnotherGuest").by("./shared/connections"),
		protection("guests: openings", "shared/connections/evict.go", "userid.IsGuest(subject) && int(opened) >= limit {", "opened < 0 {",
			"TestGuestsOpenAtMostSoManyConnectionsAMinute").by("./shared/connections"),
		protection("pings: uncounted", "functions/sendmessage/watch.go", "return w.pings[connectionID] <= freePings", "return true",
			"TestAFloodOfPingsEndsTheConnection").by(endToEnd),
		protection("ended: served", "functions/sendmessage/watch.go", "if _, known := w.ended[connectionID]; !known {", "if _, known := w.ended[connectionID]; known {",
			"TestFramesOfAnEndedConnectionCostNothing").by("./functions/sendmessage"),
		protection("reaper: forgets what it missed", "shared/connections/sweep.go", "first := minuteOf(now) - sweepMinutes", "first := minuteOf(now) - 10",
			"TestReaperCatchesUpFromWhereItStopped").by("./shared/connections"),
		protection("revocation: nobody closed", "shared/closing/closing.go", "err := c.Gateway.Close(ctx, ended.ConnectionID)", "var err error",
			"TestARevokedUserIsOutAndStaysOut", "TestThreeStrikesEndAConnection", "TestAnEvictedConnectionIsToldAndClosed").by(endToEnd),
	}
}

// urls are what signurl holds.
func urls() []mutation {
	const token, caller, request = "functions/signurl/token.go", "functions/signurl/caller.go", "functions/signurl/request.go"
	return []mutation{
		protection("signurl: no authorizer", token, "the route has no JWT authorizer: %w\", errNotConfigured", "the route has no JWT authorizer: %w\", errBadRequest",
			"TestASignRouteThatLostItsAuthorizationSignsNothing"),
		protection("signurl: rooms", caller, "return !slices.ContainsFunc(rooms, func", "return len(rooms) > 0 || !slices.ContainsFunc(rooms, func", "TestSignUrlGrantsNoMoreThanTheTokenSays"),
		protection("signurl: unknown members", request, "json.RejectUnknownMembers(true)", "json.RejectUnknownMembers(false)", "TestSignUrlGrantsNoMoreThanTheTokenSays"),
		protection("signurl: media type", request, `mediaType != "application/json"`, `mediaType == "none"`, "TestCrossSiteFormsMintNothing"),
		protection("signurl: any caller", "functions/signurl/named.go", "case !c.trustedCallers.Contains(authorizer.IAM.UserARN):", "case false:",
			"TestOnlyTrustedCallersSpeakForUsers").by(endToEnd),
		protection("signurl: user in any mode", caller, "if c.AuthMode != authModeIAM && (request.User != nil || request.SignIn != nil) {", "if false {", "TestAGuestIsNobodyElseWhateverTheRequestSays").by(endToEnd),
		protection("guests: rooms", "functions/signurl/guest.go", "rooms: c.GuestRooms,", "rooms: append(c.GuestRooms, c.DefaultRooms...),", "TestGuestsEnterGuestRoomsOnly").by(endToEnd),
		protection("guests: pool", "shared/connections/evict.go", "userid.IsGuest(subject) && len(order) < surplus {", "false {",
			"TestTooManyGuestsAreRefusedAndNobodyGivesWay").by(endToEnd),
		protection("signurl: size", request, "len(body) > limit", "len(body) > 100*limit", "TestSignUrlGrantsNoMoreThanTheTokenSays"),
		protection("signurl: another token", token, "if err := token.mustBe(authorizer.JWT.Claims); err != nil {", "if err := token.mustBe(nil); err == nil {",
			"TestTokensThatGetNoURL").by("./functions/signurl"),
		protection("signurl: any kind of token", token, "if err := c.mustBeAccessToken(token); err != nil {", "if err := c.mustBeAccessToken(token); err == nil && now.IsZero() {",
			"TestOtherTokensGetNoURL"),
		protection("signurl: any client", "functions/signurl/accesstoken.go", "{c.knowsClient(t), ", "{c.knowsClient(t) || true, ", "TestOtherTokensGetNoURL"),
		protection("signurl: any scope", "functions/signurl/accesstoken.go", "{c.hasScope(t), ", "{c.hasScope(t) || true, ", "TestTokenNeedsOneOfTheScopes").by("./functions/signurl"),
		protection("signurl: several tokens", token, "if len(values) != 1 {", "if len(values) == 0 {", "TestTokensThatGetNoURL").by("./functions/signurl"),
		protection("signurl: end of the token", token, "sessionEndsAt: expires.Add(c.sessionGrace()),", "sessionEndsAt: expires.Add(c.sessionGrace() + c.sessionMax()),",
			"TestASessionEndsSoonAfterItsToken").by(endToEnd),
		protection("signurl: silent sign-in", token, `if !ok || !t.has("auth_time") {`, `if !ok || t.has("auth_time") {`, "TestASilentSignInDoesNotUndoARevocation").by(endToEnd),
		protection("signurl: parts of rooms", "functions/signurl/rooms.go", "		text, ok := textOf(element)\n",
			"		text, ok := textOf(element)\n		for i := range len(text) {\n			if text[i] == ',' {\n				text = text[i+1:]\n				break\n			}\n		}\n",
			"TestNoPartOfAGroupsNameOpensARoom"),
		protection("signurl: URLs of a user", "functions/signurl/handler.go", "	if caller.comesBack {", "	if false {", "TestUserWhoAsksTooOftenIsToldWhenToAskAgain").by("./functions/signurl"),
		protection("sign-out: any caller", "functions/signurl/signout.go", "if err := h.config.mustBeTrusted(event.RequestContext.Authorizer); err != nil {",
			"if err := h.config.mustBeTrusted(event.RequestContext.Authorizer); err == nil && now.IsZero() {", "TestSignOutIsRefused").by("./functions/signurl"),
		protection("ids: like a guest's", "shared/userid/userid.go", "strings.HasPrefix(sub, guestPrefix) || strings.HasPrefix(sub, hashPrefix)", "strings.HasPrefix(sub, hashPrefix)",
			"TestNobodyBecomesAnotherUserByItsName"),
		protection("ids: like a hash", "shared/userid/userid.go", "strings.HasPrefix(sub, guestPrefix) || strings.HasPrefix(sub, hashPrefix)", "strings.HasPrefix(sub, guestPrefix)",
			"TestNobodyBecomesAnotherUserByItsName"),
		protection("ids: the pool", "shared/grant/parse.go", "reader.one(paramSubject, userid.Valid)", "reader.one(paramSubject, userid.ValidSub)",
			"TestNoGrantNamesThePoolOrAnIDThatIsNone"),
		protection("guests: secret", "functions/signurl/guest.go", "userid.Guest(secret), true", "userid.NewGuest(), len(secret) > 0", "TestAGuestKeepsItsID").by(endToEnd),
	}
}

// frames are what sendmessage holds.
func frames() []mutation {
	const (
		handler, touch, decode = "functions/sendmessage/handler.go", "shared/connections/touch.go", "shared/message/decode.go"
		flood, strike          = "TestAFloodOfMessagesIsStopped", "TestTheThirdStrikeEndsTheRightToSpeak"
	)
	return []mutation{
		protection("frame: unknown members", decode, "json.RejectUnknownMembers(true)", "json.RejectUnknownMembers(false)", "TestNobodySpeaksAsSomebodyElse"),
		protection("frame: size", decode, "len(body) > maxBody", "len(body) > 100*maxBody", "TestFramesThatParsersReadDifferentlyAreRefused"),
		protection("frame: text", "shared/text/text.go", "case r < 0x20, r >= 0x7F && r <= 0x9F:", "case r < 0:", "TestFramesThatParsersReadDifferentlyAreRefused"),
		protection("room check", handler, `case named != "" && sender.In(named):`, `case named != "":`, "TestNobodyReachesARoomThatIsNotTheirs"),
		protection("rate window", touch, "OR #window < :max)", "OR #window < :max OR #window >= :max)", flood),
		protection("strikes: not counted", "functions/sendmessage/client.go", "struck, err := c.connections.Strike(ctx, c.id, c.now())", "struck, err := connections.Struck{}, error(nil)", flood, strike),
		protection("strikes: kicked speak on", touch, "attribute_not_exists(kicked) AND ", "", strike),
		protection("session: ended ones speak", touch, "sx > :now AND ", "(sx > :now OR sx <= :now) AND ", "TestASessionThatEndedNeitherSpeaksNorListens"),
		protection("session: ended ones listen", "shared/connections/members.go", "		if sx <= now.Unix() {", "		if sx < 0 {", "TestASessionThatEndedNeitherSpeaksNorListens"),
	}
}

// logs are what keeps secrets out of them.
func logs() []mutation {
	const logging = "./shared/logging"
	return []mutation{
		protection("log: any attribute", "shared/logging/logging.go", "if !allowed(attr.Key) {", "if false {", "TestOnlyAllowedAttributesAppear").by(logging),
		protection("log: secrets in texts", "shared/logging/redact.go", "if len(s) >= minSecret {", "if false {", "TestSecretsAreMasked").by(logging),
		protection("log: what a client sends", "functions/connect/handler.go", "	started := h.now()\n",
			"	started := h.now()\n	for _, values := range event.MultiValueQueryStringParameters {\n		println(values[0])\n	}\n", "TestALeakedURLIsWorthNothing"),
		protection("log: no reasons", "functions/connect/handler.go", `slog.String("reason", reason)`, `slog.String("code", reason)`, "TestOtherSitesCannotConnect"),
	}
}

// settings are what stands before the functions, in the template and in the stage that judges it.
func settings() []mutation {
	const sample, games = "template.yaml", "TestGamesWithTheSignatureReachNoFunction"
	return []mutation{
		protection("socket: no authorization", sample, "AuthType: AWS_IAM", "AuthType: NONE", games, "TestWhoeverElseSignsIsRefused"),
		protection("signurl: no authorization", sample, "      AuthorizationType: !If [AuthModeIsJwt, JWT, !If [AuthModeIsIam, AWS_IAM, NONE]]\n      AuthorizerId: !If [AuthModeIsJwt, !Ref SignUrlAuthorizer, !Ref AWS::NoValue]\n",
			"      AuthorizationType: NONE\n", "TestNobodyGetsAURLWithoutAToken"),
		protection("signurl: no throttle", sample, "          ThrottlingRateLimit: 20\n          ThrottlingBurstLimit: 40\n", "          ThrottlingRateLimit: 9999\n          ThrottlingBurstLimit: 9999\n",
			"TestAFloodOfRequestsIsThrottledBeforeAnyFunction"),
		protection("signurl: any API may invoke", sample, "SourceArn: !Sub arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${HttpApi}/*/POST/signurl", `SourceArn: "*"`, "TestPermissionsNameAccountAndRoute").by(rules),
		protection("stage: any host", "localstage/listeners.go", `if host != "localhost" && (err != nil || !ip.IsLoopback()) {`, `if host == "" && err == nil && ip.IsValid() {`,
			"TestNamesThatResolveToThisMachineReachNothing"),
		protection("stage: any signature", "localstage/internal/sigv4/verifier.go", "if !hmac.Equal(signature[:], []byte(c.signature)) || !hashHolds {", "if !hmac.Equal(signature[:], signature[:]) || !hashHolds {", games),
		protection("stage: twins of a parameter", "localstage/internal/sigv4/query.go", "return q, q.checkAmzNames()", "return q, nil", "TestParseQueryRefuses").by("./localstage/internal/sigv4"),
		protection("stage: permissions of functions", "localstage/integration.go", "	if !i.permitted {", "	if false {", "TestAnotherAPIInvokesNothing"),
	}
}
