import type { Reporter, TestModule } from 'vitest/node'

/** Closes a run with one line a script can read, `N passed, N failed, N skipped`, and lists why tests were skipped. */
export default class SummingReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    const skipped: string[] = []
    for (const module of modules) {
      count.failed += brokenAround(module)
      for (const test of module.children.allTests()) {
        const result = test.result()
        count[result.state] += 1
        if (result.state === 'skipped')
          skipped.push(`  skipped: ${test.fullName} (${result.note ?? 'no reason given'})`)
      }
    }
    if (skipped.length > 0) console.log(`\n${skipped.join('\n')}`)
    console.log(`\n${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped`)
  }
}

/** A file that cannot be loaded and a hook that fails leave their tests "skipped"; each of them is a failure. */
function brokenAround(module: TestModule): number {
  const suites = [module, ...module.children.allSuites()]
  return suites.filter((suite) => suite.errors().length > 0).length
}
