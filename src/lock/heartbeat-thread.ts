/** The thread in which hearts beat, so that a compile that blocks the main thread for a minute keeps its lock. */
import lockfile from 'proper-lockfile'
import { realClock } from '../host/clock.js'
import { pooledDisk } from '../host/disk.js'
import { serve } from '../host/thread.js'
import type { HeartNews, HeartRequest } from './heartbeat.js'
import { Hearts } from './hearts.js'

const body = { disk: pooledDisk, clock: realClock, lock: lockfile.lock }
const hearts = new Hearts(body, (news) => tell(news))
const tell = serve<HeartRequest, HeartNews>((request) => hearts.answer(request))
