import { defineConfig } from 'vitest/config'
import { ADAPTER_KITS } from './scripts/suites.ts'
import { COMPILE_CACHE } from './test/live/kit/compile-cache.ts'

// unit: pure and quick. adapters: each against what it is for. e2e: the CLI in a terminal, the page in a browser.
// live: real processes, sockets and kill -9. package: as installed. long: what takes minutes. unit runs first, then the
// others, two files at a time, then long, one at a time: the machine may be small, and these tests measure time.
const SECOND_MS = 1000
// A slow machine gets its time: only what never happens fails.
const alone = {
  environment: 'node' as const,
  fileParallelism: false,
  hookTimeout: 120 * SECOND_MS,
  expect: { poll: { timeout: 30 * SECOND_MS, interval: 20 } },
  env: { NODE_COMPILE_CACHE: COMPILE_CACHE },
  globalSetup: ['test/live/kit/compile-cache.ts'],
}
// They mostly wait for processes, each test for its own; two files fill the waiting of one.
const inPairs = {
  ...alone,
  fileParallelism: true,
  maxWorkers: 2,
  exclude: ['**/node_modules/**', '**/*.long.test.ts'],
  testTimeout: 180 * SECOND_MS,
  sequence: { groupOrder: 2 },
}
const LATER = ['**/node_modules/**', '**/*.live.test.ts', '**/*.long.test.ts']

export default defineConfig({
  test: {
    watch: false,
    reporters: ['default', './scripts/summing-reporter.ts'],
    projects: [
      {
        test: {
          environment: 'node',
          name: 'unit',
          // They share a process and what it has imported: pure code leaves nothing behind. Twice as fast.
          isolate: false,
          include: [
            'src/**/*.test.ts',
            'test/tidy/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
            'web/src/**/*.test.{ts,tsx}',
          ],
          exclude: LATER,
          testTimeout: 20 * SECOND_MS,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...inPairs, name: 'adapters', include: ADAPTER_KITS } },
      { test: { ...inPairs, name: 'e2e', include: ['test/e2e/**/*.test.ts'] } },
      {
        test: {
          ...inPairs,
          name: 'live',
          include: ['src/**/*.live.test.ts', 'test/live/**/*.test.ts'],
          exclude: [...inPairs.exclude, ...ADAPTER_KITS],
        },
      },
      { test: { ...inPairs, name: 'package', include: ['test/package/**/*.test.ts'] } },
      {
        test: {
          ...alone,
          name: 'long',
          include: ['{src,test,bench,scripts}/**/*.long.test.ts', 'test/long/**/*.test.ts'],
          testTimeout: 600 * SECOND_MS,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
