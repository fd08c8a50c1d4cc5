using System.Globalization;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>The homeserver is slow, hangs, drops its answers or says nonsense: it has our answers within its minute all the same, and nothing stays behind.</summary>
public class HomeserverFaultTests
{
    /// <summary>What answers without end must not cost: the service takes some 100 MB by itself.</summary>
    private const long Bounded = 600L * 1024 * 1024;

    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task Whatever_the_homeserver_does_while_a_room_is_made_who_asked_is_answered_and_may_ask_again()
    {
        var ways = FaultyHomeserver.Ways.Index().Where(way => Trial.Scale(0, 1) == 1 || !way.Item.TakesItsTime).ToList();
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FaultyHomeserver();
        var url = Register(folder);
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url, $"--LoggingService:RoomsPerHour={2 * ways.Count}");
        using var client = new TransactionClient(url);
        await service.WaitForLineAsync("knows this service");
        var before = SocketsOf(service);

        // All at once. The client gives up after a minute, as a homeserver does.
        var asked = ways.Select(async way => (way.Item.Name, Status: await client.QueryAliasAsync($"#logged_f{way.Index}:localhost"))).ToList();
        for (var i = 0; i < 20; i++)
            await PushAsync(client);
        foreach (var (way, status) in await Task.WhenAll(asked))
            Assert.True(status is 502 or 504, $"{way}: {status}");

        // Those that took too long count as rooms of this hour, for they may have been made; those that failed don't.
        var made = 0;
        while (await client.QueryAliasAsync($"#logged_well{made}:localhost") == 200)
            made++;
        Assert.InRange(made, ways.Count, 2 * ways.Count);

        // Of the connections only those are left that can be used again.
        await Wait.UntilAsync(() => homeserver.Unended == 0, "the service has hung up on what has no end");
        Assert.InRange(SocketsOf(service), 1, before + ways.Count);
        Assert.InRange(PeakOf(service), 1, Bounded);
        _acknowledged.Check(folder["logs"], _room, "the homeserver's faults");
        _acknowledged.AssertComplete("homeserver", $"{ways.Count} ways to fail at createRoom (hanging, dropping, 429, 502, nonsense, endless), all at once", ways.Count);
    }

    [Fact]
    public async Task Whatever_the_homeserver_does_at_start_transactions_are_taken_and_it_is_found_when_it_is_well()
    {
        string[] inShort = ["429, a body that never comes", "429, a body that never ends", "wrong types", "a user without a server"];
        var ways = FaultyHomeserver.Ways.Where(way => Trial.Scale(0, 1) == 1 || inShort.Contains(way.Name)).ToList();
        await Parallel.ForEachAsync(ways, new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken }, async (way, end) =>
        {
            using var folder = TempFolder.ForCaller();
            using var homeserver = new FaultyHomeserver { Everything = way };
            var url = Register(folder);
            await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
            using var client = new TransactionClient(url);
            await client.WaitUntilListeningAsync();
            var (room, id) = (Some.RoomId(), Some.EventId());
            Assert.Equal((way.Name, 200), (way.Name, await client.PushAsync("1", [Some.Message(room, $"message {id} ", id)], end)));
            lock (_acknowledged)
            {
                _acknowledged.Add(room, id);
                _acknowledged.Check(folder["logs"], room, way.Name);
            }

            homeserver.Everything = null;
            if (!way.TakesItsTime || Trial.Scale(0, 1) == 1)
                await service.WaitForLineAsync("knows this service", TimeSpan.FromSeconds(120));
            Assert.InRange(PeakOf(service), 1, Bounded);
        });

        _acknowledged.AssertComplete("homeserver", $"{ways.Count} ways to fail from the start on", ways.Count);
    }

    private static string Register(TempFolder folder)
    {
        File.WriteAllText(folder["registration.yaml"], ServiceUnderTest.RegistrationText());
        return $"http://127.0.0.1:{FreePort.Next()}";
    }

    private async Task PushAsync(TransactionClient client)
    {
        var id = Some.EventId();
        Assert.Equal(200, await client.PushAsync(id, [Some.Message(_room, $"message {id} ", id)]));
        _acknowledged.Add(_room, id);
    }

    private static int SocketsOf(ServiceProcess service) =>
        new DirectoryInfo($"/proc/{service.Id}/fd").EnumerateFiles().Count(file => file.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    private static long PeakOf(ServiceProcess service) =>
        long.Parse(File.ReadLines($"/proc/{service.Id}/status").Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
