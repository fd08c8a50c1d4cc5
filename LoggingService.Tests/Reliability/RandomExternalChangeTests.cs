using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Random pushes and external changes of rooms, journal, quarantine and the whole log directory, with kills and restarts: after
/// each 200, all expected events are logged.
/// </summary>
public sealed class RandomExternalChangeTests : IDisposable
{
    private readonly Random _random = new(20261124);
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string[] _rooms = [.. Enumerable.Range(0, 4).Select(_ => Some.RoomId())];
    private readonly List<(string Room, string Id, string Json)> _sent = [];
    private readonly HashSet<string> _unloggable = [];
    private readonly HashSet<string> _changedRooms = [];
    private readonly List<string> _recentSteps = [];
    private TempFolder _folder = TempFolder.ForCaller();
    private ServiceUnderTest? _service;
    private int _transactions;
    private bool _hasBacklog;

    private string Logs => _folder["logs"];

    [Fact]
    public async Task External_changes_and_kills_lose_no_other_event()
    {
        var steps = Trial.Scale(300, 5_000);
        for (var step = 0; step < steps; step++)
        {
            _service ??= new ServiceUnderTest(_time, _folder) { RepairInterval = TimeSpan.Zero };
            switch (_random.Next(100))
            {
                case < 35: await PushAsync([.. _rooms.Where(_ => _random.Next(2) == 0)]); break;
                case < 45: await PushWithoutWaitingAsync(); break;
                case < 50: await ResendAsync(); break;
                case < 55: await PushUnloggableAsync(); break;
                case < 80: ChangeRoom(Pick(_rooms), Pick(ExternalChanges.All)); break;
                case < 84: await ChangeJournalAsync(); break;
                case < 86: ChangeQuarantine(); break;
                case < 87: Change("all removed", () => ExternalChanges.RemoveFolder(Logs)); break;
                case < 92: await EmptyJournalAsync(); break;
                case < 93: AdvanceHalfADay(); break;
                case < 98: Kill(); break;
                default: await StopAsync(); break;
            }
        }

        _service ??= new ServiceUnderTest(_time, _folder) { RepairInterval = TimeSpan.Zero };
        await PushAsync(_rooms);
        const string method = "random pushes, changes of rooms, journal and quarantine, SIGKILLs and restarts";
        _acknowledged.AssertComplete("files changed externally", method, steps);
    }

    public void Dispose()
    {
        _service?.Dispose();
        _folder.Dispose();
    }

    private string RecentSteps => string.Join(", ", _recentSteps.TakeLast(30));

    private T Pick<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];

    private async Task PushAsync(string[] rooms)
    {
        var ids = rooms.SelectMany(room => Enumerable.Range(0, _random.Next(1, 4)).Select(_ => (Room: room, Id: Some.EventId())));
        var events = ids.Select(e => (e.Room, e.Id, Json: CreateMessage(e.Room, e.Id))).ToList();
        await PushUntilAcceptedAsync(events.Select(e => e.Json));
        _sent.AddRange(events);
        events.ForEach(e => _acknowledged.Add(e.Room, e.Id));
        Check(rooms);
    }

    /// <summary>The next step begins while the events are in the journal and not yet in the files.</summary>
    private async Task PushWithoutWaitingAsync()
    {
        _recentSteps.Add("a push without waiting");
        var events = _rooms
            .SelectMany(room => Enumerable.Range(0, _random.Next(30)).Select(_ => (Room: room, Id: Some.EventId())))
            .ToList();
        var body = $"{{\"events\":[{string.Join(',', events.Select(e => CreateMessage(e.Room, e.Id)))}]}}";
        _transactions++;
        using var content = new StringContent(body);
        using var response = await _service!.Client.PutAsync(
            $"/_matrix/app/v1/transactions/t{_transactions}", content, TestContext.Current.CancellationToken);
        if (response.IsSuccessStatusCode)
        {
            events.ForEach(e => _acknowledged.Add(e.Room, e.Id));
            _hasBacklog = true;
        }
    }

    /// <summary>Resends an event: it is logged again only if an external change removed it.</summary>
    private async Task ResendAsync()
    {
        if (_sent.Count == 0)
            return;

        var (room, id, json) = Pick(_sent);
        await PushUntilAcceptedAsync([json]);
        Check([room]);
    }

    private string CreateMessage(string room, string id) =>
        Some.Message(room, $"message {id} {new string('x', _random.Next(200))}", id);

    private async Task PushUnloggableAsync()
    {
        var marker = $"marker {Some.EventId()}.";
        await PushUntilAcceptedAsync([$$"""{"marker":"{{marker}}"}"""]);
        _unloggable.Add(marker);
        var lines = Directory.GetFiles(Path.Combine(Logs, ".quarantine"), "*.jsonl").SelectMany(File.ReadLines).ToList();
        Assert.All(_unloggable, expected =>
            Assert.True(lines.Exists(line => line.Contains(expected)), $"{expected} isn't in the quarantine after {RecentSteps}"));
    }

    private async Task PushUntilAcceptedAsync(IEnumerable<string> events)
    {
        _recentSteps.Add("a push");
        var body = events.ToList();
        _transactions++;
        await _service!.PushUntilAcceptedAsync($"t{_transactions}", body);
    }

    private void Check(string[] rooms)
    {
        _hasBacklog = false;
        Array.ForEach(rooms, room => _acknowledged.Check(Logs, room, RecentSteps));
        _changedRooms.ExceptWith(rooms);
    }

    // One change between two pushes: two could result in a wrong text with as many lines as its record.
    private void ChangeRoom(string room, string change)
    {
        // An editor that removes a line while others are appended may remove different ones from record and text.
        if ((!_hasBacklog || !change.Contains("saved", StringComparison.Ordinal)) && _changedRooms.Add(room))
            Change($"{room} {change}", () => ExternalChanges.Apply(change, Logs, room, _random));
    }

    /// <summary>Only if no room is changed: files are repaired when they are opened, so those of a past day would stay changed.</summary>
    private void AdvanceHalfADay()
    {
        if (_changedRooms.Count == 0)
        {
            _recentSteps.Add("half a day");
            _time.Advance(TimeSpan.FromHours(13));
            _changedRooms.UnionWith(_rooms);
        }
    }

    private void Change(string step, Action change)
    {
        _recentSteps.Add(step);
        _acknowledged.DuringChange(Logs, change);
        var quarantine = Path.Combine(Logs, ".quarantine");
        var files = Directory.Exists(quarantine) ? Directory.GetFiles(quarantine, "*.jsonl") : [];
        var text = string.Concat(files.Select(File.ReadAllText));
        _unloggable.RemoveWhere(marker => !text.Contains(marker));
    }

    /// <summary>What is in the journal only is lost with it.</summary>
    private async Task ChangeJournalAsync()
    {
        _recentSteps.Add("a change of the journal");
        await _service!.CaughtUpAsync();
        if (LogFolder.Segments(Logs).LastOrDefault() is not { } segment)
            return;

        try
        {
            ChangeSegment(segment);
        }
        catch (IOException)
        {
            // A checkpoint has dropped it meanwhile.
        }
    }

    private void ChangeSegment(string segment)
    {
        switch (_random.Next(5))
        {
            case 0: Directory.Delete(Path.GetDirectoryName(segment)!, recursive: true); break;
            case 1: File.Delete(segment); break;
            case 2: File.Move(segment, _folder[$"away-{Guid.NewGuid():N}"]); break;
            case var kind:
                using (var file = new FileStream(segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
                    file.SetLength(kind == 3 ? file.Length + 7 : _random.NextInt64(file.Length + 1));
                break;
        }
    }

    private void ChangeQuarantine()
    {
        var quarantine = Path.Combine(Logs, ".quarantine");
        var files = Directory.Exists(quarantine) ? Directory.GetFiles(quarantine, "2???????.jsonl") : [];
        if (files.Max(StringComparer.Ordinal) is { } file)
        {
            var change = Pick(ExternalChanges.ForFiles);
            Change($"quarantine {change}", () => ExternalChanges.ApplyToFile(change, file, """{"marker":"foreign"}""", _random));
        }
    }

    private async Task EmptyJournalAsync()
    {
        _recentSteps.Add("a checkpoint");
        Assert.NotNull(_service!.Client);
        await Wait.UntilAsync(
            () => LogFolder.Segments(Logs).Length == 0,
            $"the journal is empty after {RecentSteps}: {string.Join('\n', _service.WarningsAndErrors.TakeLast(3))}",
            () => _time.Advance(TimeSpan.FromSeconds(1)));
    }

    private void Kill()
    {
        _recentSteps.Add("a kill");
        var next = TempFolder.ForCaller();
        if (Directory.Exists(Logs))
            LogFolder.Copy(Logs, next["logs"]);
        Dispose();
        _service = null;
        _folder = next;
    }

    private async Task StopAsync()
    {
        _recentSteps.Add("a stop");
        await _service!.DisposeAsync();
        _service = null;
    }
}
