"""The native body: crate `tallystick-native` in `native/`, when it is installed."""

from functools import partial

from tallystick.accel.body import Body
from tallystick.accel.envelopes import DOMAIN
from tallystick.accel.errors import NotBuilt

__all__ = ["find"]


def find() -> Body:
    """The native body; `NotBuilt` says why there is none."""
    try:
        import tallystick_native as built

        from tallystick.accel.native_tree import NativeTree

        return Body(
            name="native",
            verify=built.verify,
            verify_batch=built.verify_batch,
            is_small_order=built.is_small_order,
            is_valid_point=built.is_valid_point,
            open_batch=partial(built.open_batch, domain=DOMAIN),
            known_good=built.KnownGood,
            tree=NativeTree,
            merkle_root=built.merkle_root,
            seal_block=built.seal_block,
            chained=built.chained,
            used_references=built.UsedReferences,
            fields_shown=lambda fields: built.ShownFields(fields).all_shown,
            start_workers=built.start_workers,
        )
    except ModuleNotFoundError:
        raise NotBuilt("it is not installed") from None
    except (ImportError, AttributeError) as problem:
        raise NotBuilt(f"what is installed is of another release: {problem}") from None
