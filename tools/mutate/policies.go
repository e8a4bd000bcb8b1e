package main

// policies are the statements of the roles, each taken away and each made wider.
// What a role then lacks must break the chat, and what it then may must be noticed by an attack.
func policies() []mutation {
	const (
		items, table, manage = "TestEachRoleTouchesOnlyItsItems", "TestNoRoleTouchesTheTableAsAWhole", "TestEachRoleManagesConnectionsAsItMay"
		chat                 = "TestTwoUsersExchangeMessagesBothWays"
	)
	var (
		open, deny, readUser         = statement{"SignUrlRole", "OpenConnections"}, statement{"SignUrlRole", "NeverManageConnections"}, statement{"SignUrlRole", "ReadUser"}
		record, readEvicted          = statement{"ConnectRole", "RecordConnection"}, statement{"ConnectRole", "ReadUser"}
		readLeaving, forgetLeaving   = statement{"DisconnectRole", "ReadConnection"}, statement{"DisconnectRole", "ForgetConnection"}
		count, list, kick            = statement{"SendMessageRole", "ReadAndCountSender"}, statement{"SendMessageRole", "ListRoom"}, statement{"SendMessageRole", "HandOverToReaper"}
		forgetGone, post             = statement{"SendMessageRole", "ForgetGoneConnection"}, statement{"SendMessageRole", "PostToConnections"}
		handOver, keep               = statement{"SendMessageRole", "HandOverSegments"}, statement{"FanoutRole", "KeepFailures"}
		readPart, slowPart           = statement{"FanoutRole", "ReadGoneConnection"}, statement{"FanoutRole", "HandSlowToReaper"}
		gonePart, postPart           = statement{"FanoutRole", "ForgetGoneConnection"}, statement{"FanoutRole", "PostToConnections"}
		due, revoke                  = statement{"ReaperRole", "ListAndFinishDue"}, statement{"ReaperRole", "LiftOldBan"}
		readDue, expel, closeSockets = statement{"ReaperRole", "ReadConnection"}, statement{"ReaperRole", "ExpelConnection"}, statement{"ReaperRole", "CloseConnections"}
		ask                          = statement{"FrontendRole", "AskForUrls"}
		signOut                      = statement{"SignUrlRole", "SignOut"}
	)
	mutations := []mutation{
		without(open, endToEnd, chat), without(deny, attackTests, "TestNothingAddedToTheSignersRoleLetsItManageConnections"), without(readUser, endToEnd, chat),
		without(record, endToEnd, chat), without(readEvicted, endToEnd, "TestAnEvictedConnectionIsToldAndClosed"),
		without(readLeaving, attackTests, "TestALeakedURLIsWorthNothing"), without(forgetLeaving, attackTests, "TestALeakedURLIsWorthNothing"),
		without(count, endToEnd, chat), without(list, endToEnd, chat), without(kick, endToEnd, "TestThreeStrikesEndAConnection"),
		without(forgetGone, attackTests, items), without(post, endToEnd, chat),
		without(handOver, endToEnd, "TestALargeRoomIsSharedWithFanout"), without(postPart, endToEnd, "TestALargeRoomIsSharedWithFanout"),
		without(readPart, attackTests, items), without(slowPart, attackTests, items), without(gonePart, attackTests, items),
		without(keep, endToEnd, "TestWhatFanoutCannotDeliverIsKept"),
		without(due, endToEnd, "TestAnEvictedConnectionIsClosedBySweeps"), without(revoke, endToEnd, "TestABannedUserStaysOutWhateverTheLogin"),
		without(readDue, endToEnd, "TestARevokedUserIsOutAndStaysOut"), without(expel, endToEnd, "TestARevokedUserIsOutAndStaysOut"),
		without(closeSockets, endToEnd, "TestARevokedUserIsOutAndStaysOut"),

		// Alone in its policy, or in a condition, it cannot just go.
		{"policy " + signOut.String() + ": removed", "template.yaml", signOut.with("Effect: Allow", "Effect: Deny"), []string{endToEnd}, []string{"TestASignedOutSessionIsOverOnTheWire"}},
		{"policy " + ask.String() + ": removed", "template.yaml", ask.with("Effect: Allow", "Effect: Deny"), []string{endToEnd}, []string{"TestThePagesServerIsATrustedCaller"}},
		wider(ask, "all of the API", "${HttpApi}/*/POST/signurl", "*", rules, "TestOnlySignUrlOpensConnections"),

		wider(open, "all of the API", "${StageName}/$connect", "*", rules, "TestOnlySignUrlOpensConnections"),
		wider(post, "every method", "/POST/@connections/*", "/*", attackTests, manage),
		wider(closeSockets, "every method", "/DELETE/@connections/*", "/*", attackTests, manage),
		wider(record, "every table", "!GetAtt ConnectionsTable.Arn", `"*"`, attackTests, table),
		wider(forgetLeaving, "every table", "!GetAtt ConnectionsTable.Arn", `"*"`, attackTests, table),
		wider(forgetGone, "every table", "!GetAtt ConnectionsTable.Arn", `"*"`, attackTests, table),
		wider(gonePart, "every table", "!GetAtt ConnectionsTable.Arn", `"*"`, attackTests, table),
		wider(postPart, "every method", "/POST/@connections/*", "/*", attackTests, manage),
		wider(handOver, "every function", "!GetAtt FanoutFunction.Arn", `"*"`, attackTests, "TestNoRoleInvokesFunctions"),
		wider(expel, "every table", "!GetAtt ConnectionsTable.Arn", `"*"`, attackTests, table),
		wider(readUser, "every action", "dynamodb:GetItem", `"dynamodb:*"`, attackTests, items),
	}
	for _, s := range []statement{readUser, record, readEvicted, readLeaving, forgetLeaving, count, list, kick, forgetGone, readPart, slowPart, gonePart, due, revoke, readDue, expel} {
		mutations = append(mutations, mutation{"policy " + s.String() + ": unconditional", "template.yaml", s.unconditional(""), []string{attackTests}, []string{items}})
	}
	// ForAllValues holds for a request without the key, and in a transaction there is none. Where another statement
	// allows the action in transactions anyway, or none can hold it, nothing would change.
	for _, s := range []statement{readUser, readEvicted, readLeaving, count, kick, readPart, slowPart} {
		mutations = append(mutations, mutation{"policy " + s.String() + ": without Null", "template.yaml", s.unconditional("Null"), []string{attackTests}, []string{items}})
	}
	return append(mutations, limitPolicies()...)
}

// limitPolicies are the statements for bans, limits of users, and what is closed at once.
func limitPolicies() []mutation {
	const (
		items, manage = "TestEachRoleTouchesOnlyItsItems", "TestEachRoleManagesConnectionsAsItMay"
		chat, evicted = "TestTwoUsersExchangeMessagesBothWays", "TestAnEvictedConnectionIsToldAndClosed"
		out           = "TestARevokedUserIsOutAndStaysOut"
	)
	var (
		urls, readBans          = statement{"SignUrlRole", "CountUrls"}, statement{"SignUrlRole", "ReadBans"}
		checkBans, closeEvicted = statement{"ConnectRole", "CheckBans"}, statement{"ConnectRole", "CloseEvicted"}
		finish, keepOut         = statement{"ConnectRole", "FinishClosed"}, statement{"SendMessageRole", "KeepKickedOut"}
		ban, listUser           = statement{"ReaperRole", "Ban"}, statement{"ReaperRole", "ListConnectionsOfUser"}
		progress                = statement{"ReaperRole", "RememberProgress"}
	)
	mutations := []mutation{
		without(urls, endToEnd, chat), without(readBans, endToEnd, chat), without(checkBans, endToEnd, chat),
		without(closeEvicted, endToEnd, evicted), without(finish, endToEnd, evicted), without(progress, endToEnd, evicted),
		without(keepOut, endToEnd, "TestAKickedUserStaysOutAndOthersNoticeNothing"),
		without(ban, endToEnd, out), without(listUser, endToEnd, out),
		wider(closeEvicted, "every method", "/DELETE/@connections/*", "/*", attackTests, manage),
		wider(readBans, "every action", "dynamodb:GetItem", `"dynamodb:*"`, attackTests, items),
		wider(checkBans, "every action", "dynamodb:ConditionCheckItem", `"dynamodb:*"`, attackTests, items),
		wider(ban, "every action", "dynamodb:UpdateItem", `"dynamodb:*"`, attackTests, items),
	}
	for _, s := range []statement{urls, finish, keepOut, listUser, progress} {
		mutations = append(mutations, mutation{"policy " + s.String() + ": unconditional", "template.yaml", s.unconditional(""), []string{attackTests}, []string{items}})
	}
	for _, s := range []statement{urls, keepOut} {
		mutations = append(mutations, mutation{"policy " + s.String() + ": without Null", "template.yaml", s.unconditional("Null"), []string{attackTests}, []string{items}})
	}
	return mutations
}

// untested are the statements whose absence nothing can notice here, and why.
func untested() map[string]string {
	const logs = "the local stage has no CloudWatch Logs: it shows what the functions print"
	return map[string]string{
		"SignUrlRole.WriteLogs": logs, "ConnectRole.WriteLogs": logs, "DisconnectRole.WriteLogs": logs, "SendMessageRole.WriteLogs": logs, "FanoutRole.WriteLogs": logs, "ReaperRole.WriteLogs": logs, "FrontendRole.WriteLogs": logs,
	}
}

func without(s statement, where, test string) mutation {
	return mutation{"policy " + s.String() + ": removed", "template.yaml", s.without(), []string{where}, []string{test}}
}

func wider(s statement, how, from, to, where, test string) mutation {
	return mutation{"policy " + s.String() + ": " + how, "template.yaml", s.with(from, to), []string{where}, []string{test}}
}
