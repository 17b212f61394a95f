// Prints `N passed, N failed[, N skipped]` for a JSON report of vitest: counts.mjs <file> <exit code> <failed steps>
import { readFileSync } from 'node:fs'

const [file = '', testsStatus = '0', failedSteps = '0'] = process.argv.slice(2)

/** @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile */
/** @type {{ numPassedTests: number, numPendingTests: number, numTodoTests: number, testResults: TestFile[] }} */
let report = { numPassedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] }
let unfinished = false
try {
  report = JSON.parse(readFileSync(file, 'utf8'))
} catch {
  // The tests did not run to their end, which is a failure unless a step before them is to blame.
  unfinished = failedSteps === '0'
}

let failedTests = 0
for (const { status, assertionResults } of report.testResults) {
  const failures = assertionResults.filter((result) => result.status === 'failed').length
  // A file that does not load, or has a type error, fails without a test of its own.
  failedTests += status === 'failed' ? Math.max(1, failures) : failures
}
// An unhandled error fails the run without failing a file.
if (failedTests === 0 && (unfinished || testsStatus !== '0')) failedTests = 1
const failed = failedTests + Number(failedSteps)
const skipped = report.numPendingTests + report.numTodoTests
console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
