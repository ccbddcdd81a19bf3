//! [`select!`](crate::select!): the first of several futures, of any types.
//!
//! How it's made, without a procedural macro: the inner macro reads one branch a step, and notes its index (as `0 + 1 + 1`)
//! and as many `_` as branches stand before it, so that `(_, _, this, ..)` is its place in a tuple. The futures lie in one
//! tuple; the output of the one that wins comes in another, as the only `Some`, which the last `match` takes apart.
//!
//! Whether an output fits its pattern is asked by a guard that is never true: a guard sees the bindings without
//! anything being moved, whatever `mut` and `ref` the pattern has.

use crate::executor::with_loop;

/// Waits for several futures at once, and runs the handler of the first that ends with what its pattern takes. The others
/// are dropped before the handler runs. It stands where `await` may stand, and has the syntax and the meaning of
/// [`tokio::select!`](https://docs.rs/tokio/1/tokio/macro.select.html) (1.54):
///
/// ```text
/// select! {
///     biased;                                      // optional
///     <pattern> = <future> => <handler>,           // 64 branches at most
///     <pattern> = <future>, if <condition> => <handler>,
///     else => <handler>                            // optional
/// }
/// ```
///
/// 1. The conditions are evaluated, in their order. A branch whose condition is `false` is disabled.
/// 2. The expressions of the futures are evaluated, those of disabled branches too, which are then not polled. A future that
///    is to live on goes in as `&mut future`; one that is not `Unpin` is pinned before.
/// 3. The futures are polled, from a random branch on, so that none that is always ready starves the others; with `biased;`,
///    from the first on, which is for where the order says what matters most.
/// 4. An output that its branch's pattern does not take is dropped, and the branch is disabled.
/// 5. The first output that fits has the others dropped and its handler run; what that gives is the value of `select!`. A
///    handler may `await`, use `?`, `break` and `return`, and borrow what the futures had borrowed.
/// 6. When all branches are disabled, `else` is run.
///
/// Under [`block_on_virtual`](crate::AsyncRuntime::block_on_virtual) the loop's seed decides which branch is the first, so
/// a run can be repeated. It needs no loop, and runs in tasks of others as well.
///
/// What differs from tokio's: it has no part in tokio's budget for polls, as a turn of Ferry's loop has its own end.
///
/// # Panics
/// When all branches are disabled and there is no `else`.
///
/// # Cancel safety
/// Dropping it drops the futures that were given to it; those that were given as `&mut` go on later. Of the losers, each
/// loses what it has done so far, unless it is cancel safe itself: all of [`sync`](crate::sync) is, and so are
/// [`sleep`](crate::sleep), [`Future`](crate::Future), [`Interval::tick`](crate::Interval::tick) and what a
/// [`channel`](crate::channel) receives.
///
/// ```
/// use asyncferry::{AsyncRuntime, Order, select, sleep, sync::{Queue, Shutdown}};
/// use std::time::Duration;
///
/// AsyncRuntime::block_on_virtual(Order::Fifo, async {
///     let queue = Queue::new(0);
///     queue.put_nowait(1).unwrap();
///     queue.put_nowait(2).unwrap();
///     let mut sum = 0;
///     let mut end = std::pin::pin!(sleep(Duration::from_secs(1)));
///     loop {
///         select! {
///             Ok(number) = queue.get() => sum += number,
///             () = &mut end, if !queue.is_shut_down() => queue.shutdown(Shutdown::Drain),
///             else => break,
///         }
///     }
///     assert_eq!(sum, 3);
/// });
/// ```
#[macro_export]
macro_rules! select {
    () => {
        ::std::compile_error!("select! needs a branch: `pattern = future => handler`")
    };
    (biased; $($branches:tt)+) => {
        $crate::__select!(@read biased [0] [] [] $($branches)+)
    };
    ($($branches:tt)+) => {
        $crate::__select!(@read fair [0] [] [] $($branches)+)
    };
}

/// The inside of [`select!`](crate::select!).
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // @read order [how many were read] [as many _] [what was read] what is left
    (@read $order:ident $count:tt $skips:tt [$($read:tt)+]) => {
        $crate::__select!(@run $order $count [$($read)+] ::std::panic!(
            "all branches of a select! are disabled, and it has no `else`"
        ))
    };
    (@read $order:ident [$($count:tt)+] $skips:tt [] else => $else:expr $(,)?) => { $else };
    (@read $order:ident $count:tt $skips:tt [$($read:tt)+] else => $else:expr $(,)?) => {
        $crate::__select!(@run $order $count [$($read)+] $else)
    };
    // A block needs no comma behind it. One step a branch, as the compiler counts them up to 128.
    (@read $order:ident [$($count:tt)+] [$($skip:tt)*] [$($read:tt)*]
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:block, $($left:tt)*) => {
        $crate::__select!(@read $order [$($count)+ + 1] [$($skip)* _] [$($read)* {
            [$($count)+] [$($skip)*] [$pattern] [$future] [true $(&& $condition)?] [$handler]
        }] $($left)*)
    };
    (@read $order:ident [$($count:tt)+] [$($skip:tt)*] [$($read:tt)*]
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:block $($left:tt)*) => {
        $crate::__select!(@read $order [$($count)+ + 1] [$($skip)* _] [$($read)* {
            [$($count)+] [$($skip)*] [$pattern] [$future] [true $(&& $condition)?] [$handler]
        }] $($left)*)
    };
    (@read $order:ident [$($count:tt)+] [$($skip:tt)*] [$($read:tt)*]
        $pattern:pat = $future:expr $(, if $condition:expr)? => $handler:expr $(, $($left:tt)*)?) => {
        $crate::__select!(@read $order [$($count)+ + 1] [$($skip)* _] [$($read)* {
            [$($count)+] [$($skip)*] [$pattern] [$future] [true $(&& $condition)?] [$handler]
        }] $($($left)*)?)
    };

    (@run $order:ident [$($count:tt)+] [$({
        [$($index:tt)+] [$($skip:tt)*] [$pattern:pat] [$future:expr] [$condition:expr] [$handler:expr]
    })+] $else:expr) => {{
        const { ::std::assert!(::std::matches!($($count)+, 1..=64), "a select! has at most 64 branches") };
        let branches = $($count)+;
        // The futures end with this block, so that handlers may use what they had borrowed.
        #[allow(unused_mut)]
        let mut output = {
            let mut disabled = 0_u64;
            $(
                if !($condition) {
                    disabled |= 1 << ($($index)+);
                }
            )+
            let mut futures = ($(::std::pin::pin!(::std::future::IntoFuture::into_future($future)),)+);
            ::std::future::poll_fn(|cx| {
                let first = $crate::__select!(@first $order branches);
                let mut waits = false;
                let mut outputs = ($($crate::__select!(@none $($index)+),)+);
                for branch in (first..branches).chain(0..first) {
                    match branch {
                        $(
                            _ if branch == $($index)+ => {
                                if disabled & 1 << ($($index)+) != 0 {
                                    continue;
                                }
                                let ($($skip,)* future, ..) = &mut futures;
                                #[allow(unused_mut)]
                                let mut output = match ::std::future::Future::poll(future.as_mut(), cx) {
                                    ::std::task::Poll::Ready(output) => output,
                                    ::std::task::Poll::Pending => {
                                        waits = true;
                                        continue;
                                    }
                                };
                                disabled |= 1 << ($($index)+);
                                let mut fits = false;
                                #[allow(unused_variables, unused_mut, unreachable_patterns, clippy::all)]
                                match output {
                                    $pattern if {
                                        fits = true;
                                        false
                                    } => ::std::unreachable!(),
                                    _ => {}
                                }
                                if fits {
                                    let ($($skip,)* place, ..) = &mut outputs;
                                    *place = ::std::option::Option::Some(output);
                                    return ::std::task::Poll::Ready(outputs);
                                }
                            }
                        )+
                        _ => ::std::unreachable!(),
                    }
                }
                if waits {
                    ::std::task::Poll::Pending
                } else {
                    ::std::task::Poll::Ready(outputs)
                }
            })
            .await
        };
        match output {
            $(($($skip,)* ::std::option::Option::Some($pattern), ..) => $handler,)+
            _ => $else,
        }
    }};

    (@first biased $branches:ident) => { 0_u32 };
    (@first fair $branches:ident) => { $crate::first_branch($branches) };
    (@none $($index:tt)+) => { ::std::option::Option::None };
}

/// The branch that a fair `select!` polls first: a random one.
#[doc(hidden)]
pub fn first_branch(branches: u32) -> u32 {
    let random = with_loop(|home| home.random()) >> 32;
    ((random * u64::from(branches)) >> 32) as u32
}

#[cfg(all(test, not(ferry_loom)))]
mod tests;
