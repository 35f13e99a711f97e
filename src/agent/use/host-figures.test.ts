import { describe, expect, it } from 'vitest'
import { busiestSince, parseDiskstats } from './disks.ts'
import { cpuFiles, lower, parseCpuMax, parseQuota } from './host-limits.ts'
import { parseAuxv } from './kernel-units.ts'
import { parseIo } from './process-io.ts'

describe('/proc/PID/io', () => {
  const IO =
    'rchar: 323934931\nwchar: 323929600\nsyscr: 632687\nsyscw: 632675\nread_bytes: 4096\nwrite_bytes: 323932160\ncancelled_write_bytes: 7\n'
  it('tells what disks did, not what a cache did', () => {
    expect(parseIo(IO)).toEqual({ readBytes: 4096, writtenBytes: 323_932_160 })
  })

  it('says nothing where it may not be read, or is not whole', () => {
    expect(parseIo('')).toBeNull()
    expect(parseIo(IO.slice(0, IO.indexOf('write_bytes')))).toBeNull()
    expect(parseIo('read_bytes: -1\nwrite_bytes: 2\n')).toBeNull()
    expect(parseIo('read_bytes: many\nwrite_bytes: 2\n')).toBeNull()
  })
})

describe('/proc/diskstats', () => {
  const STATS = `   7       0 loop0 9 0 9 9 0 0 0 0 0 999999 9 0 0 0 0 0 0
 259       0 nvme0n1 11 0 22 33 44 55 66 77 0 1200 99 0 0 0 0 0 0
 259       1 nvme0n1p1 11 0 22 33 44 55 66 77 0 1100 99 0 0 0 0 0 0
   8       0 sda 11 0 22 33 44 55 66 77 0 800 99
   8      16 sdb 11 0 22
   1       0 ram0 0 0 0 0 0 0 0 0 0 5 0
`
  const WHOLE = new Set(['loop0', 'nvme0n1', 'sda', 'sdb', 'ram0'])

  it('tells for how long each whole disk was busy; partitions, loops and memory are none', () => {
    expect([...parseDiskstats(STATS, WHOLE)]).toEqual([
      ['nvme0n1', 1200],
      ['sda', 800],
    ])
    expect(parseDiskstats('', WHOLE).size).toBe(0)
    expect(parseDiskstats('nonsense\n\n', WHOLE).size).toBe(0)
  })

  it('counts the disk that was busiest since the last look, not the one that is oldest', () => {
    const before = new Map([
      ['old', 900_000],
      ['new', 10],
    ])
    expect(
      busiestSince(
        before,
        new Map([
          ['old', 900_005],
          ['new', 510],
        ]),
      ),
    ).toBe(500)
  })

  it('counts nothing of a disk that was plugged in or whose counter began anew', () => {
    expect(busiestSince(new Map([['sda', 100]]), new Map([['sdb', 7000]]))).toBe(0)
    expect(busiestSince(new Map([['sda', 100]]), new Map([['sda', 3]]))).toBe(0)
    expect(busiestSince(new Map(), new Map())).toBe(0)
  })
})

describe('what the host has', () => {
  it('is limited by the cgroup and by those above it', () => {
    expect(cpuFiles('0::/user.slice/shop.service\n').map(({ max }) => max)).toEqual([
      '/sys/fs/cgroup/user.slice/shop.service/cpu.max',
      '/sys/fs/cgroup/user.slice/cpu.max',
      '/sys/fs/cgroup/cpu.max',
    ])
    expect(cpuFiles('0::/\n')).toEqual([{ max: '/sys/fs/cgroup/cpu.max', period: null }])
    expect(cpuFiles('5:memory:/a\n4:cpu,cpuacct:/docker\n0::/\n')[0]).toEqual({
      max: '/sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us',
      period: '/sys/fs/cgroup/cpu/docker/cpu.cfs_period_us',
    })
    expect(cpuFiles('')).toEqual([])
    expect(cpuFiles('0::relative').length).toBeLessThan(40)
  })

  it('is a share of processors where there is a quota', () => {
    expect(parseCpuMax('150000 100000\n')).toBe(1.5)
    expect(parseCpuMax('max 100000\n')).toBeNull()
    expect(parseCpuMax('')).toBeNull()
    expect(parseCpuMax('0 100000')).toBeNull()
    expect(parseCpuMax('100000 0')).toBeNull()
    expect(parseQuota('50000\n', '100000\n')).toBe(0.5)
    expect(parseQuota('-1\n', '100000\n')).toBeNull()
  })

  it('is the memory of the machine where there is no limit', () => {
    expect(lower(1000, 0)).toBe(1000)
    expect(lower(1000, 18_446_744_073_709_552_000)).toBe(1000)
    expect(lower(1000, 400)).toBe(400)
  })
})

describe('the units of the kernel', () => {
  const pairs = [
    [3, 77],
    [6, 65_536],
    [17, 250],
    [0, 0],
  ] as const

  it('are read from the auxiliary vector, in words of either width and order', () => {
    const wide = Buffer.alloc(64)
    const narrow = Buffer.alloc(32)
    for (const [index, [kind, value]] of pairs.entries()) {
      wide.writeBigUInt64LE(BigInt(kind), index * 16)
      wide.writeBigUInt64LE(BigInt(value), index * 16 + 8)
      narrow.writeUInt32BE(kind, index * 8)
      narrow.writeUInt32BE(value, index * 8 + 4)
    }
    const units = { ticksPerSecond: 250, pageBytes: 65_536 }
    expect(parseAuxv(wide, { width: 8, isLittle: true })).toEqual(units)
    expect(parseAuxv(narrow, { width: 4, isLittle: false })).toEqual(units)
  })

  it('are the usual ones where nothing is said', () => {
    expect(parseAuxv(Buffer.alloc(0), { width: 8, isLittle: true })).toEqual({
      ticksPerSecond: 100,
      pageBytes: 4096,
    })
    expect(parseAuxv(Buffer.alloc(13), { width: 8, isLittle: true }).pageBytes).toBe(4096)
  })
})
