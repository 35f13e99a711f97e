import { notifierConformance } from '../conformance/notifier.ts'
import { createNotifierFake } from './notifier.ts'

notifierConformance('memory fake', async () => {
  const fake = createNotifierFake()
  return {
    notifier: fake.notifier,
    arrived: async () => fake.arrived.map(({ key, message }) => ({ key, fields: message })),
    breakReceiver: async (broken) => fake.fail(broken ? Number.POSITIVE_INFINITY : 0),
    dispose: async () => {},
  }
})
