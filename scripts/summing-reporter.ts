import type { Reporter, TestModule } from 'vitest/node'

/** Closes a run with one line a script can read, `N passed, N failed, N skipped`, and lists why tests were skipped. */
export default class SummingReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    const skipped: string[] = []
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      if (tests.length === 0 && module.state() === 'failed') count.failed += 1
      for (const test of tests) {
        const result = test.result()
        count[result.state] += 1
        if (result.state === 'skipped') skipped.push(`  skipped: ${test.fullName} (${result.note ?? 'no reason given'})`)
      }
    }
    if (skipped.length > 0) console.log(`\n${skipped.join('\n')}`)
    console.log(`\n${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped`)
  }
}
