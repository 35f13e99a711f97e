import { expect, it } from 'vitest'
import { turnsOf } from './turns.ts'

it.each([2, 3, 4, 5])('%i ways have each place, and follow each other, equally often', (count) => {
  const ways = Array.from({ length: count }, (_, at) => at)
  const turns = turnsOf(ways)
  for (const way of ways) {
    const places = ways.map((place) => turns.filter((turn) => turn[place] === way).length)
    expect(new Set(places)).toEqual(new Set([turns.length / count]))
    const others = ways.filter((other) => other !== way)
    const follows = others.map(
      (other) => turns.filter((turn) => turn[turn.indexOf(way) + 1] === other).length,
    )
    expect(new Set(follows)).toEqual(new Set([turns.length / count]))
  }
})
