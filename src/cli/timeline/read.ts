/** The records in files of events; what is no record is skipped, and counted. */
import { type EventRecord, parseEventRecord } from '../../core/event-record.js'
import { linesOf } from '../../host/lines.js'

/** Our own are shorter; longer ones are no records. */
const MAX_LINE_BYTES = 64 * 1024

/** Hands each record to `take`, and after some of them waits for `afterPiece`; resolves to the number of lines that were none. @throws errno errors */
export async function readRecords(
  paths: readonly string[],
  take: (record: EventRecord) => void,
  afterPiece: () => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  let skipped = 0
  for (const path of paths) {
    for await (const lines of linesOf(path, MAX_LINE_BYTES)) {
      for (const line of lines) {
        // An empty line ends a torn one: see host/event-file.ts.
        if (line === '') continue
        const record = line === null ? null : parseEventRecord(line)
        if (record === null) skipped++
        else take(record)
      }
      await afterPiece()
    }
  }
  return skipped
}
