// Package schedule runs the schedules of a template: scheduled rules of Amazon
// EventBridge (AWS::Events::Rule) and schedules of EventBridge Scheduler
// (AWS::Scheduler::Schedule), which invoke their target asynchronously with the
// service's own event or with the target's Input.
//
// Only rate expressions are known; cron and at are refused by name. Runs may
// overlap, as on AWS. Starting the schedules counts as creating them.
//
// Comments beginning with "Source:" name a page of AWS's, or say "observed"
// (recorded on AWS by others) or "assumed".
package schedule
