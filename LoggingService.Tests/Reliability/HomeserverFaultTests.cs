using System.Globalization;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>A homeserver that hangs, disconnects or sends invalid responses still gets responses in time, and nothing leaks.</summary>
public class HomeserverFaultTests
{
    /// <summary>The memory limit under endless responses; the idle service takes some 100 MB.</summary>
    private const long MaxMemory = 600L * 1024 * 1024;

    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string _room = Some.RoomId();

    [Fact]
    public async Task Alias_queries_are_answered_and_can_be_repeated_whatever_createRoom_does()
    {
        var faults = FaultyHomeserver.Faults.Index().Where(fault => Trial.Scale(0, 1) == 1 || !fault.Item.IsSlow).ToList();
        using var folder = TempFolder.ForCaller();
        using var homeserver = new FaultyHomeserver();
        var url = Register(folder);
        var limit = $"--LoggingService:RoomsPerHour={2 * faults.Count}";
        await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url, limit);
        using var client = new TransactionClient(url);
        await service.WaitForLineAsync("knows this service");
        var before = SocketsOf(service);

        // All at once. The client times out after a minute, as a homeserver does.
        var queries = faults.Select(async fault =>
            (fault.Item.Name, Status: await client.QueryAliasAsync($"#logged_f{fault.Index}:localhost"))).ToList();
        for (var i = 0; i < 20; i++)
            await PushAsync(client);
        foreach (var (fault, status) in await Task.WhenAll(queries))
            Assert.True(status is 502 or 504, $"{fault}: {status}");

        // Timeouts count against the limit of rooms per hour, because the room may exist; failures don't.
        var created = 0;
        while (await client.QueryAliasAsync($"#logged_well{created}:localhost") == 200)
            created++;
        Assert.InRange(created, faults.Count, 2 * faults.Count);

        // Only reusable connections are left.
        await Wait.UntilAsync(() => homeserver.PendingResponses == 0, "the service has aborted all endless responses");
        Assert.InRange(SocketsOf(service), 1, before + faults.Count);
        Assert.InRange(PeakMemoryOf(service), 1, MaxMemory);
        await _acknowledged.UntilLoggedAsync(folder["logs"], _room);
        _acknowledged.Check(folder["logs"], _room, "the homeserver's faults");
        var method = $"{faults.Count} faults of createRoom (hangs, disconnects, 429, 502, invalid, endless), all at once";
        _acknowledged.AssertComplete("homeserver", method, faults.Count);
    }

    [Fact]
    public async Task Transactions_are_accepted_whatever_the_homeserver_does_at_startup_and_its_recovery_is_detected()
    {
        string[] inShort = ["429, a body that never comes", "429, a body that never ends", "wrong types", "a user without a server"];
        var faults = FaultyHomeserver.Faults.Where(fault => Trial.Scale(0, 1) == 1 || inShort.Contains(fault.Name)).ToList();
        var options = new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = TestContext.Current.CancellationToken };
        await Parallel.ForEachAsync(faults, options, async (fault, cancellation) =>
        {
            using var folder = TempFolder.ForCaller();
            using var homeserver = new FaultyHomeserver { FaultForAll = fault };
            var url = Register(folder);
            await using var service = ServiceProcess.Start(folder.Path, "--homeserver", homeserver.Address, "--urls", url);
            using var client = new TransactionClient(url);
            await client.WaitUntilListeningAsync();
            var room = Some.RoomId();
            var id = Some.EventId();
            var status = await client.PushAsync("1", [Some.Message(room, $"message {id} ", id)], cancellation);
            Assert.Equal((fault.Name, 200), (fault.Name, status));
            lock (_acknowledged)
                _acknowledged.Add(room, id);
            await Wait.UntilAsync(() => LogFolder.HasLogged(folder["logs"], room, [id]), $"the event is logged in spite of {fault.Name}");
            lock (_acknowledged)
                _acknowledged.Check(folder["logs"], room, fault.Name);

            homeserver.FaultForAll = null;
            if (!fault.IsSlow || Trial.Scale(0, 1) == 1)
                await service.WaitForLineAsync("knows this service", TimeSpan.FromSeconds(120));
            Assert.InRange(PeakMemoryOf(service), 1, MaxMemory);
        });

        _acknowledged.AssertComplete("homeserver", $"{faults.Count} faults from the start", faults.Count);
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
        new DirectoryInfo($"/proc/{service.Id}/fd").EnumerateFiles()
            .Count(file => file.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    private static long PeakMemoryOf(ServiceProcess service)
    {
        var line = File.ReadLines($"/proc/{service.Id}/status").Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
