using LoggingService.Tests.Support;
using LoggingService.Transactions;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>What is refused with 503 is pushed later: it is not fetched, nor is the reserve of the disk used for it.</summary>
public class GapAdmissionTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Nothing_is_fetched_while_transactions_are_refused()
    {
        var room = Some.RoomId();
        var history = new StubHistory(room);
        var time = new FakeTimeProvider(Noon);
        using var folder = TempFolder.ForCaller();
        var one = Some.Message(room, "one", at: Noon.ToUnixTimeMilliseconds());
        history.Add(one);
        using (var first = Start())
        {
            Assert.Equal(200, (await first.PushAsync("1", one)).Status);
        }

        history.Add(Some.Message(room, "lost", at: Noon.AddMinutes(1).ToUnixTimeMilliseconds()));
        Admission? admission = null;
        using var service = Start(bounds => (admission = bounds).MinFreeBytes = long.MaxValue / 2);
        var refused = service.PushAsync("2", Some.Message(room, "refused"));
        await Wait.UntilAsync(() => refused.IsCompleted, "a refusal after 30 s", Tick);
        Assert.Equal(503, (await refused).Status);
        Assert.Equal(0, history.Pages);

        admission!.MinFreeBytes = 0;
        await Wait.UntilAsync(() => service.Lines(room).Contains("<@alice:localhost> lost"), "the lost event is fetched", Tick);
        Assert.Contains("*** 1 event from 12:01:00 was fetched later", service.Lines(room));

        void Tick() => time.Advance(TimeSpan.FromSeconds(1));

        ServiceUnderTest Start(Action<Admission>? bounds = null) =>
            new(time, folder, homeserver: new StubHomeserver().WithoutAliases().History(history)) { Bounds = bounds };
    }
}
