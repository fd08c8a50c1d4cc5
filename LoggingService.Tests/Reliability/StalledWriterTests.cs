using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// No room can be written while the journal can: transactions are accepted up to the bounds of the backlog, refused beyond them, and all
/// accepted events are logged afterwards. The homeserver is pinged, so that it sends again at once.
/// </summary>
public sealed class StalledWriterTests : IDisposable
{
    private const string Ping = "POST /_matrix/client/v1/appservice/logging/ping";
    private readonly TempFolder _folder = TempFolder.ForCaller();
    private readonly StubHomeserver _homeserver = new StubHomeserver().WithoutAliases();
    private readonly Ledger _ledger = new();
    private readonly string _room = Some.RoomId();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("the oldest entry of the backlog has waited too long")]
    [InlineData("the backlog is too large")]
    public async Task Transactions_beyond_the_bounds_of_the_backlog_are_refused_until_the_writer_has_caught_up(string reason)
    {
        using var disk = await SmallDisk.MountAsync(_folder["logs"], "500m");
        using var journal = await SmallDisk.MountAsync(_folder["logs", ".journal"], "500m");
        var isLarge = reason.EndsWith("large", StringComparison.Ordinal);
        using var service = new ServiceUnderTest(folder: _folder, homeserver: _homeserver)
        {
            Bounds = bounds =>
            {
                bounds.MaxWait = TimeSpan.FromSeconds(1);
                bounds.MaxOldestAge = isLarge ? TimeSpan.FromMinutes(9) : TimeSpan.FromSeconds(2);
                bounds.MaxBacklogBytes = 1 << 20;
            },
        };
        await PushAsync(service, Ledger.Create([_room]));
        var pings = Pings();
        var rounds = Trial.Scale(1, 5);
        for (var round = 0; round < rounds; round++)
        {
            await disk.SetReadOnlyAsync(true);
            service.IsWriterStalled = true;

            // Open files stay writable: a room that is not open makes the writer stall. A transaction may be larger than the bound.
            await PushAsync(service, Ledger.Create(Enumerable.Repeat(_room, isLarge ? 300 : 1).Append(Some.RoomId()), 5000));
            var refused = Ledger.Create([_room, Some.RoomId()]);
            await Wait.UntilAsync(() => service.PushAsync("2", refused.Json).Result.Status == 503, "a transaction is refused");
            _ledger.Acknowledge(refused);
            Assert.Equal(503, (await service.PushAsync("2", refused.Json)).Status);
            Assert.Equal(round + 1, Count(service, "Failed to write to the log directory: "));
            Assert.Equal(pings, Pings());

            await disk.SetReadOnlyAsync(false);
            await Wait.UntilAsync(() => service.PushAsync("2", refused.Json).Result.Status == 200, "transactions are accepted again");
            service.IsWriterStalled = false;
            await service.CaughtUpAsync();
            await _ledger.WaitUntilLoggedAsync(service.Logs);
            await Wait.UntilAsync(() => Pings() > pings, "the homeserver is pinged");
            Assert.Equal(round + 1, Count(service, "Writing to the log directory works again"));
            pings = Pings();
        }

        // At most one of each in a minute.
        Assert.InRange(Count(service, $"Transactions are delayed because \"{reason}\""), 1, rounds);
        Assert.Equal(Count(service, "Transactions are delayed"), Count(service, "Transactions are accepted again"));
        _ledger.AssertComplete(service.Logs, "nothing can be written but the journal", $"a mount made read-only; {reason}", rounds);
    }

    private static int Count(ServiceUnderTest service, string message) =>
        service.Logged.Count(logged => logged.RenderMessage().StartsWith(message, StringComparison.Ordinal));

    private int Pings() => _homeserver.Calls.Count(call => call.Line == Ping);

    private async Task PushAsync(ServiceUnderTest service, Ledger.Transaction transaction)
    {
        Assert.Equal(200, (await service.PushAsync("1", transaction.Json)).Status);
        _ledger.Acknowledge(transaction);
    }
}
