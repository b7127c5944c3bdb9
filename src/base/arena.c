/* Arena: blocks of growing size, bump allocation, everything zeroed, freed at once. */
#include "couler/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "couler/vec.h"

#define ALIGN 16u
#define FIRST_BLOCK (64u * 1024u)
#define SMALL_BLOCK 2048u
#define LAST_BLOCK (4u * 1024u * 1024u)
#define HUGE_PAGE (2u * 1024u * 1024u)

struct block {
	struct block *next;
	size_t size, used, mapped;        /* mapped: bytes of the mapping that holds it, 0 where it is on the heap */
	_Alignas(ALIGN) char data[];
};

struct arena {
	struct block *top;
	size_t total, next_size;
};

static _Noreturn void out_of_memory(void)
{
	fputs("couler: out of memory\n", stderr);
	_Exit(70);
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

static struct arena *new_arena(size_t first)
{
	struct arena *a = xcalloc(1, sizeof *a);

	a->next_size = first;
	return a;
}

struct arena *arena_new(void)
{
	return new_arena(FIRST_BLOCK);
}

struct arena *arena_new_small(void)
{
	return new_arena(SMALL_BLOCK);
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct block *b = a->top, *next; b; b = next) {
		next = b->next;
		if (b->mapped)
			munmap(b, b->mapped);
		else
			free(b);
	}
	free(a);
}

#if defined(__SANITIZE_ADDRESS__)
#define HEAP_ONLY 1                       /* leaks are looked for from the heap */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define HEAP_ONLY 1
#endif
#endif
#ifndef HEAP_ONLY
#define HEAP_ONLY 0
#endif

/* size bytes, zeroed; many of them on huge pages where the system has them: most of the cost of fresh memory is page faults. */
static struct block *new_block(size_t size)
{
	struct block *b = NULL;
	size_t whole = (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1), skip;

	if (!HEAP_ONLY && size >= LAST_BLOCK && size < SIZE_MAX - 2 * HUGE_PAGE) {
		char *p = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED) {
			skip = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
			if (skip)
				munmap(p, skip);
			if (skip < HUGE_PAGE)
				munmap(p + skip + whole, HUGE_PAGE - skip);
#ifdef MADV_HUGEPAGE
			(void)madvise(p + skip, whole, MADV_HUGEPAGE);       /* a hint */
#endif
			b = (struct block *)(void *)(p + skip);
			b->mapped = whole;
			return b;
		}
	}
	b = calloc(1, size);
	if (!b)
		out_of_memory();
	return b;
}

static struct block *add_block(struct arena *a, size_t need)
{
	size_t size = need > a->next_size ? need : a->next_size;
	struct block *b;

	if (size > SIZE_MAX - sizeof *b)
		out_of_memory();
	b = new_block(sizeof *b + size);
	if (b->mapped)
		size = b->mapped - sizeof *b;
	b->size = size;
	a->total += sizeof *b + size;
	if (a->next_size < LAST_BLOCK)
		a->next_size *= 2;
	if (a->top && need > LAST_BLOCK / 4) {
		/* a large object gets a block of its own and leaves the current one open */
		b->next = a->top->next;
		a->top->next = b;
	} else {
		b->next = a->top;
		a->top = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct block *b = a->top;
	void *p;

	if (size > SIZE_MAX - ALIGN)
		out_of_memory();
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!b || b->size - b->used < size)
		b = add_block(a, size);
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *arena_grow(struct arena *a, void *p, size_t old, size_t size)
{
	size_t held = (old + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct block *b = a->top;
	void *q;

	if (p && size <= held)
		return p;
	if (p && b && (char *)p + held == b->data + b->used && size <= SIZE_MAX - ALIGN) {
		size_t want = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);

		if (b->size - b->used >= want - held) {
			b->used += want - held;
			return p;
		}
	}
	q = arena_alloc(a, size);
	if (p)
		memcpy(q, p, old);
	return q;
}

char *arena_dup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

size_t arena_size(const struct arena *a)
{
	return a->total;
}

void vec_grow_(struct arena *a, void **v, uint32_t *cap, size_t size)
{
	uint32_t want = *cap ? *cap * 2 : 4;

	if (want < *cap)
		out_of_memory();
	*v = arena_grow(a, *v, *cap * size, want * size);
	*cap = want;
}
