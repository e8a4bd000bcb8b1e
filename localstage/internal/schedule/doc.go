// Package schedule runs the schedules of a template: scheduled rules of Amazon
// EventBridge (AWS::Events::Rule) and schedules of EventBridge Scheduler
// (AWS::Scheduler::Schedule), which invoke their target asynchronously with the
// service's own event or with the target's Input.
//
// The package runs rate expressions, and refuses cron and at by name. Runs may overlap, as on AWS. The start of the
// schedules counts as their creation.
//
// Comments that begin with "Source:" name a page of AWS, or say "observed" (recorded on AWS by others) or "assumed".
package schedule
