using System.Collections.Concurrent;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Work in the background that is retried.</summary>
public class RetryQueueTests
{
    [Fact]
    public async Task What_is_added_while_an_equal_item_runs_is_retried_once_if_it_fails()
    {
        var time = new FakeTimeProvider();
        var queue = new RetryQueue<string>(room => room, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var runs = 0;
        queue.Add("!tea");
        var running = queue.RunAsync(
            (room, _) =>
            {
                var run = Interlocked.Increment(ref runs);
                if (run == 1)
                {
                    // Two more changes of the same room, also by its id: the first of them is not the newest.
                    queue.Add(room);
                    queue.Add(room);
                }

                return Task.FromResult(run is 1 or > 3);
            },
            stop.Token);
        await Wait.UntilAsync(() => runs == 3, "all three ran");
        await Wait.UntilAsync(() => runs > 3, "what failed is retried", () => time.Advance(TimeSpan.FromSeconds(1)));
        time.Advance(TimeSpan.FromMinutes(5));
        queue.Add("!milk");
        await Wait.UntilAsync(() => runs > 4, "another one runs");
        Assert.Equal(5, runs);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Items_with_the_same_key_run_in_the_order_in_which_they_were_added()
    {
        const int Rooms = 2_000;
        const int WishesPerRoom = 4;
        var queue = new RetryQueue<string>(wish => wish.Split(' ')[0], new FakeTimeProvider(), concurrency: 4);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        foreach (var wish in Enumerable.Range(0, Rooms * WishesPerRoom))
            queue.Add($"!{wish / WishesPerRoom} {wish % WishesPerRoom}");
        var ran = new ConcurrentQueue<string>();
        var running = queue.RunAsync(
            (wish, _) =>
            {
                ran.Enqueue(wish);
                return Task.FromResult(true);
            },
            stop.Token);
        await Wait.UntilAsync(() => ran.Count == Rooms * WishesPerRoom, "all ran");
        Assert.All(ran.GroupBy(wish => wish.Split(' ')[0]), wishes => Assert.Equal(wishes.Order(), wishes));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
