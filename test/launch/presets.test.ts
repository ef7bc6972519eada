/** What the presets say of paths, as the programs were seen to write them or as their source names them. */
import { expect, test } from 'vitest'
import type { Preset } from '../../src/launch/preset.js'
import { PRESETS, findPresets } from '../../src/launch/presets/index.js'
import { rulesOf } from '../../src/launch/units.js'

const rules = rulesOf(PRESETS)
const HASH = 'c2f5bg42obyhhncwvn3ym4la5y3bmzwhtkeoctebrox4i3fdf6qt'
const names = (presets: readonly Preset[]): string[] => presets.map(({ name }) => name)

test.each([
  ['triton/PBATULJ3/add.cubin', 'triton/PBATULJ3'],
  ['triton/PBATULJ3/__grp__add.json', 'triton/PBATULJ3'],
  ['jax/jit_block-9daa-cache', 'jax/jit_block-9daa-cache'],
  [
    'jax/xla_gpu_per_fusion_autotune_cache_dir/ab.textproto',
    'jax/xla_gpu_per_fusion_autotune_cache_dir/ab.textproto',
  ],
  [`inductor/2f/${HASH}.main.so`, `inductor/2f/${HASH}.main.so`],
  ['inductor/fxgraph/dg/fdgm/p7oq', 'inductor/fxgraph/dg/fdgm'],
  ['inductor/aotautograd/akey/entry', 'inductor/aotautograd/akey'],
  ['inductor/triton/0/PBATULJ3/add.cubin', 'inductor/triton/0/PBATULJ3'],
  ['node/v24.21.0-x64-964aae3f-0/dc2942dc', 'node/v24.21.0-x64-964aae3f-0/dc2942dc'],
  ['deepgemm/cache/kernel.gemm.0af3/kernel.cubin', 'deepgemm/cache/kernel.gemm.0af3'],
  ['tilelang/0.1.15/linux-x86_64/kernels/ab12/params.json', 'tilelang/0.1.15/linux-x86_64/kernels/ab12'],
  ['numba/src_1f2e/f-12.py312.nbi', 'numba/src_1f2e'],
  ['numba/src_1f2e/f-12.py312.1.nbc', 'numba/src_1f2e'],
  ['warp/1.19.0/wp_mod_abc1234/wp_mod_abc1234.sm90.cubin', 'warp/1.19.0/wp_mod_abc1234'],
  ['warp/1.19.0/wp_my_points_table_abc1234/x.cubin', 'warp/1.19.0/wp_my_points_table_abc1234'],
  ['sglang/jit/sm90/rope/build-1/deps-2/rope.so', 'sglang/jit/sm90/rope/build-1/deps-2'],
  ['sglang/deep_gemm/cache/kernel.gemm.0af3/kernel.cubin', 'sglang/deep_gemm/cache/kernel.gemm.0af3'],
  ['flashinfer/.cache/flashinfer/cubins/ab/x.cubin', 'flashinfer/.cache/flashinfer/cubins/ab/x.cubin'],
  ['onnxruntime/TRTKernel_1.engine', 'onnxruntime'],
  ['cuda/1/a/3f6b', 'cuda'],
])('%s is of the unit %s', (path, unit) => {
  expect(rules.unitOf(path)).toBe(unit)
})

test('a rank of vLLM is one unit with all it has; another rank is another', () => {
  const rank = 'vllm/torch_compile_cache/0123456789/rank_0_0'
  for (const file of [
    'backbone/vllm_compile_cache.py',
    'eagle_head/computation_graph.py',
    'inductor_cache/2f/x.so',
    'triton_cache/HASH/k.cubin',
  ])
    expect(rules.unitOf(`${rank}/${file}`)).toBe(rank)
  expect(rules.unitOf(`${rank.replace('rank_0', 'rank_1')}/backbone/vllm_compile_cache.py`)).not.toBe(rank)
})

test('ranks of vLLM in AOT mode share an Inductor cache, which has the units of Inductor', () => {
  const hash = 'vllm/torch_compile_cache/torch_aot_compile/abcd'
  expect(rules.unitOf(`${hash}/rank_0_0/model`)).toBe(`${hash}/rank_0_0`)
  expect(rules.unitOf(`${hash}/inductor_cache/fxgraph/ab/key/sha`)).toBe(
    `${hash}/inductor_cache/fxgraph/ab/key`,
  )
  expect(rules.unitOf(`${hash}/rank_0_0/model.4711.tmp`)).toBeNull()
})

test.each([
  'triton/PBATULJ3/tmp.pid_4711_0b1c/add.cubin',
  'inductor/locks/abc.lock',
  'inductor/vt/.17039.140132326696832.tmp',
  'inductor/fxgraph/ij/key/.17039.140132326696832.tmp',
  `inductor/ia/${HASH}_CxxBuild/x.o`,
  'inductor/triton/0/HASH/tmp.pid_1_x/k.cubin',
  'jax/.lockfile',
  'jax/jit_block-9daa-atime',
  'node/v24.21.0-x64-964aae3f-0/dc2942dc.qFlSIW',
  'torch-extensions/ext/lock',
  'deepgemm/tmp/0b1c/kernel.cubin',
  'tilelang/0.1.15/linux-x86_64/.staging/k_1_a/params.json',
  'numba/src_1f2e/f-12.py312.nbi.tmp.0123456789abcdef',
  'cupy/tmpab12cd34',
  'warp/1.19.0/wp_mod_abc1234_p4711_t140132326696832/wp_mod.cu',
  'flashinfer/.cache/flashinfer/0.7.2/90a/cached_ops/tmp/norm.lock',
  'flashinfer/.cache/flashinfer/cubins/ab/x.cubin.0b1c.tmp',
  'sglang/jit/sm90/rope/build-1/.staging-0b1c/rope.o',
  'vllm/torch_compile_cache/0123456789/rank_0_0/triton_cache/HASH/tmp.pid_1_x/k.cubin',
  'vllm/torch_compile_cache/0123456789/rank_0_0/backbone/.4711.140132326696832.tmp',
])('%s is a draft or a lock, and not published', (path) => {
  expect(rules.unitOf(path)).toBeNull()
})

test.each([
  'torch-extensions/ext/ext.so',
  'flashinfer/.cache/flashinfer/0.7.2/90a/cached_ops/norm/norm.so',
  'vllm/gpu_p2p_access_cache_for_0,1.json',
])('%s is of no use elsewhere, and not published', (path) => {
  expect(rules.unitOf(path)).toBeNull()
})

test('the files with the path of the slot inside are known', () => {
  const rank = 'vllm/torch_compile_cache/0123456789/rank_0_0'
  for (const path of [
    'triton/HASH/__grp__add.json',
    'inductor/triton/0/HASH/__grp__add.json',
    `${rank}/vllm_compile_cache.py`,
    `${rank}/backbone/vllm_compile_cache.py`,
    `${rank}/triton_cache/HASH/__grp__add.json`,
  ])
    expect(rules.isAbsolute(path), path).toBe(true)
  expect(rules.isAbsolute('triton/HASH/add.json')).toBe(false)
})

test('a file that no pattern matches is by itself', () => {
  expect(rules.unitOf('vllm/modelinfos/llama.json')).toBe('vllm/modelinfos/llama.json')
  expect(rulesOf(findPresets(['jax'])).unitOf('triton/HASH/k.cubin')).toBe('triton/HASH/k.cubin')
})

test('no two presets of ours set the same variable', () => {
  const variables = PRESETS.flatMap((preset) => Object.keys(preset.variables))
  expect(variables.filter((name, at) => variables.indexOf(name) !== at)).toEqual([])
})

test('every name is there once, and so is all that is included', () => {
  expect(new Set(names(PRESETS)).size).toBe(PRESETS.length)
  for (const preset of PRESETS) expect(names(findPresets([preset.name]))[0]).toBe(preset.name)
})

test('vllm brings what vLLM pulls in, each once, however often it is asked for', () => {
  const found = names(findPresets(['vllm', 'triton', 'vllm']))
  expect(found).toEqual(
    expect.arrayContaining(['vllm', 'triton', 'inductor', 'flashinfer', 'deepgemm', 'cuda']),
  )
  expect(new Set(found).size).toBe(found.length)
})

test('presets that include each other are each taken once', () => {
  const own = (name: string, other: string): Preset => ({
    name,
    about: name,
    variables: {},
    includes: [other],
    units: [],
    checked: 'here',
  })
  expect(names(findPresets([own('a', 'b'), own('b', 'a')]))).toEqual(['a', 'b'])
})

test('a name that nobody knows is PRESET_INVALID, and the hint has all names', () => {
  expect(() => findPresets(['vlm'])).toThrowError(
    expect.objectContaining({ code: 'PRESET_INVALID', hint: expect.stringMatching(/jax.*vllm/) as string }),
  )
})
