/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/mesh.h"

/* The mesh does not look into a packet: a number does for one. */
static struct rte_mbuf *packet(uintptr_t number)
{
    return (struct rte_mbuf *)number;
}

static void refuses_sizes_that_cannot_be(void **state)
{
    struct mesh *mesh = NULL;

    assert_int_equal(mesh_create(0, 64, &mesh), ASSAY_ERR_RANGE);
    assert_int_equal(mesh_create(256, 64, &mesh), ASSAY_ERR_RANGE);
    assert_int_equal(mesh_create(2, 0, &mesh), ASSAY_ERR_RANGE);
    assert_int_equal(mesh_create(2, 48, &mesh), ASSAY_ERR_RANGE);
    assert_int_equal(mesh_create(2, MESH_RING_MAX * 2, &mesh), ASSAY_ERR_RANGE);
    assert_null(mesh);
    mesh_destroy(NULL);
}

static void nothing_is_seen_before_it_is_published(void **state)
{
    struct rte_mbuf *out[8];
    struct mesh *mesh;

    assert_int_equal(mesh_create(2, 8, &mesh), ASSAY_OK);
    assert_true(mesh_put(mesh, 0, 1, packet(1)));
    assert_int_equal(mesh_take(mesh, 1, out, 8), 0);
    mesh_publish(mesh, 0);
    assert_int_equal(mesh_take(mesh, 0, out, 8), 0); /* not the sender's own */
    assert_int_equal(mesh_take(mesh, 1, out, 8), 1);
    assert_ptr_equal(out[0], packet(1));
    mesh_destroy(mesh);
}

static void a_full_ring_refuses_and_takes_again_after_room_was_made(void **state)
{
    struct rte_mbuf *out[8];
    struct mesh *mesh;

    assert_int_equal(mesh_create(3, 4, &mesh), ASSAY_OK);
    for (uintptr_t i = 1; i <= 4; i++)
        assert_true(mesh_put(mesh, 2, 1, packet(i)));
    assert_false(mesh_put(mesh, 2, 1, packet(5)));
    assert_true(mesh_put(mesh, 2, 0, packet(6))); /* another ring is not full */
    mesh_publish(mesh, 2);
    assert_int_equal(mesh_take(mesh, 1, out, 3), 3);
    for (uintptr_t i = 0; i < 3; i++)
        assert_ptr_equal(out[i], packet(i + 1));
    for (uintptr_t i = 5; i <= 7; i++)
        assert_true(mesh_put(mesh, 2, 1, packet(i)));
    assert_false(mesh_put(mesh, 2, 1, packet(8)));
    mesh_publish(mesh, 2);
    assert_int_equal(mesh_take(mesh, 1, out, 8), 1); /* what was seen the last time is taken first */
    assert_ptr_equal(out[0], packet(4));
    assert_int_equal(mesh_take(mesh, 1, out, 8), 3);
    assert_ptr_equal(out[2], packet(7));
    assert_int_equal(mesh_take(mesh, 0, out, 8), 1);
    mesh_destroy(mesh);
}

static void order_is_kept_over_many_turns_of_the_ring(void **state)
{
    struct rte_mbuf *out[16];
    uintptr_t next = 1, expected = 1;
    struct mesh *mesh;

    assert_int_equal(mesh_create(2, 8, &mesh), ASSAY_OK);
    for (int round = 0; round < 1000; round++) {
        uint32_t n;

        for (int i = 0; i < round % 9; i++)
            next += mesh_put(mesh, 1, 0, packet(next));
        mesh_publish(mesh, 1);
        n = mesh_take(mesh, 0, out, (uint32_t)(1 + round % 7));
        for (uint32_t i = 0; i < n; i++)
            assert_ptr_equal(out[i], packet(expected++));
    }
    assert_true(expected > 2000);
    while (mesh_take(mesh, 0, out, 16) > 0)
        ;
    mesh_destroy(mesh);
}

static void the_senders_have_their_turns(void **state)
{
    uint32_t from[4] = {0};
    struct rte_mbuf *out[8];
    struct mesh *mesh;

    assert_int_equal(mesh_create(4, 64, &mesh), ASSAY_OK);
    for (uint32_t sender = 1; sender < 4; sender++) {
        for (int i = 0; i < 40; i++)
            assert_true(mesh_put(mesh, sender, 0, packet(sender)));
        mesh_publish(mesh, sender);
    }
    /* Ten calls with room for eight: a sender with much does not keep the others waiting. */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(mesh_take(mesh, 0, out, 8), 8);
        for (int k = 0; k < 8; k++)
            from[(uintptr_t)out[k]]++;
    }
    for (uint32_t sender = 1; sender < 4; sender++)
        assert_in_range(from[sender], 16, 40);
    while (mesh_take(mesh, 0, out, 8) > 0)
        ;
    mesh_destroy(mesh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_sizes_that_cannot_be),
        cmocka_unit_test(nothing_is_seen_before_it_is_published),
        cmocka_unit_test(a_full_ring_refuses_and_takes_again_after_room_was_made),
        cmocka_unit_test(order_is_kept_over_many_turns_of_the_ring),
        cmocka_unit_test(the_senders_have_their_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
