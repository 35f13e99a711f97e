import { defineConfig } from 'vitest/config'
import { COMPILE_CACHE } from './test/live/kit/compile-cache.ts'

// unit: pure and quick. live: real processes, sockets and kill -9. e2e: the CLI in a terminal, a browser, the package.
// long: what takes minutes. unit runs first, then live and e2e, two files at a time, then long, one at a time:
// the machine may be small, and these tests measure time.
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
      {
        test: {
          ...alone,
          name: 'live',
          // They mostly wait for processes, each test for its own; two files fill the waiting of one.
          fileParallelism: true,
          maxWorkers: 2,
          include: ['src/**/*.live.test.ts', 'test/live/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.long.test.ts'],
          testTimeout: 180 * SECOND_MS,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...alone,
          name: 'e2e',
          // Beside the live ones: a browser and the packing of the package wait as much as they do.
          fileParallelism: true,
          maxWorkers: 2,
          include: ['test/e2e/**/*.test.ts', 'test/package/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.long.test.ts'],
          testTimeout: 180 * SECOND_MS,
          sequence: { groupOrder: 2 },
        },
      },
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
