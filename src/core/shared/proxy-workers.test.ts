import { expect, it } from 'vitest'
import { parseProxyWorkers, proxyProcesses } from './proxy-workers.ts'

it('are one on each core when asked, or so many', () => {
  expect(parseProxyWorkers('auto')).toBe('auto')
  expect([parseProxyWorkers('1'), parseProxyWorkers('64')]).toEqual([1, 64])
  expect([proxyProcesses('auto', 6), proxyProcesses('auto', 500), proxyProcesses(3, 6)]).toEqual([6, 64, 3])
})

it.each(['0', '65', '-1', '2.5', '1e1', '', 'all', ' 2'])('are not "%s"', (text) => {
  expect(parseProxyWorkers(text)).toBeNull()
})
