using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests.Reliability;

/// <summary>A random walk of pushes and touches, of rooms, journal, quarantine and all of it, with kills and restarts: after each 200 all is there that must be.</summary>
public sealed class RandomExternalChangeTests : IDisposable
{
    private readonly Random _random = new(20261124);
    private readonly FakeTimeProvider _time = new(new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));
    private readonly AcknowledgedEvents _acknowledged = new();
    private readonly string[] _rooms = [.. Enumerable.Range(0, 4).Select(_ => Some.RoomId())];
    private readonly List<(string Room, string Id, string Json)> _sent = [];
    private readonly HashSet<string> _quarantined = [];
    private readonly HashSet<string> _touched = [];
    private readonly List<string> _lately = [];
    private TempFolder _folder = TempFolder.ForCaller();
    private ServiceUnderTest? _service;
    private int _transactions;

    private string Logs => _folder["logs"];

    [Fact]
    public async Task Whatever_others_do_to_the_logs_while_the_service_runs_and_is_killed_nothing_of_the_rest_is_lost()
    {
        var steps = Trial.Scale(300, 5_000);
        for (var step = 0; step < steps; step++)
        {
            _service ??= new ServiceUnderTest(_time, _folder);
            switch (_random.Next(100))
            {
                case < 45: await PushAsync([.. _rooms.Where(_ => _random.Next(2) == 0)]); break;
                case < 50: await PushAgainAsync(); break;
                case < 55: await PushUnloggableAsync(); break;
                case < 80: TouchRoom(Any(_rooms), Any(ExternalChanges.All)); break;
                case < 84: TouchJournal(); break;
                case < 86: TouchQuarantine(); break;
                case < 87: Touch("all removed", () => Directory.Delete(Logs, recursive: true)); break;
                case < 92: await EmptyJournalAsync(); break;
                case < 93: PassHalfADay(); break;
                case < 98: Kill(); break;
                default: await StopAsync(); break;
            }
        }

        _service ??= new ServiceUnderTest(_time, _folder);
        await PushAsync(_rooms);
        _acknowledged.AssertComplete("files touched by others", "a random walk of pushes, touches of rooms, journal and quarantine, SIGKILLs and restarts", steps);
    }

    public void Dispose()
    {
        _service?.Dispose();
        _folder.Dispose();
    }

    private string After => string.Join(", ", _lately.TakeLast(12));

    private T Any<T>(IReadOnlyList<T> of) => of[_random.Next(of.Count)];

    private async Task PushAsync(string[] rooms)
    {
        var events = rooms.SelectMany(room => Enumerable.Range(0, _random.Next(1, 4)).Select(_ => (Room: room, Id: Some.EventId())))
            .Select(e => (e.Room, e.Id, Some.Message(e.Room, $"message {e.Id} {new string('x', _random.Next(200))}", e.Id))).ToList();
        await UntilTakenAsync(events.Select(e => e.Item3));
        _sent.AddRange(events);
        events.ForEach(e => _acknowledged.Add(e.Room, e.Id));
        Look(rooms);
    }

    /// <summary>An event comes again: it is logged again only if somebody had taken it away.</summary>
    private async Task PushAgainAsync()
    {
        if (_sent.Count == 0)
            return;

        var (room, id, json) = Any(_sent);
        await UntilTakenAsync([json]);
        Look([room]);
    }

    private async Task PushUnloggableAsync()
    {
        var mark = $"mark {Some.EventId()}.";
        await UntilTakenAsync([$$"""{"what":"{{mark}}"}"""]);
        _quarantined.Add(mark);
        var kept = Directory.GetFiles(Path.Combine(Logs, ".quarantine"), "*.jsonl").SelectMany(File.ReadLines).ToList();
        Assert.All(_quarantined, wanted => Assert.True(kept.Exists(line => line.Contains(wanted, StringComparison.Ordinal)), $"{wanted} isn't in the quarantine after {After}"));
    }

    private async Task UntilTakenAsync(IEnumerable<string> events)
    {
        _lately.Add("a push");
        var body = events.ToList();
        var (id, status) = ($"t{++_transactions}", 0);
        for (var attempt = 0; attempt < 3 && status != 200; attempt++)
            status = (await _service!.PushAsync(id, body)).Status;
        Assert.True(status == 200, $"{status} after {After}: {string.Join('\n', _service!.WarningsAndErrors.TakeLast(3))}");
    }

    private void Look(string[] rooms)
    {
        Array.ForEach(rooms, room => _acknowledged.Check(Logs, room, After));
        _touched.ExceptWith(rooms);
    }

    // One touch between two pushes: two could make a text that is wrong and has as many lines as its record.
    private void TouchRoom(string room, string how)
    {
        if (_touched.Add(room))
            Touch($"{room} {how}", () => ExternalChanges.Apply(how, Logs, room, _random));
    }

    /// <summary>A day's files are mended when they are opened: those of a day that is over stay as somebody left them, and none is touched here.</summary>
    private void PassHalfADay()
    {
        if (_touched.Count == 0)
        {
            _lately.Add("half a day");
            _time.Advance(TimeSpan.FromHours(13));
            _touched.UnionWith(_rooms);
        }
    }

    private void Touch(string what, Action touch)
    {
        _lately.Add(what);
        _acknowledged.DuringChange(Logs, touch);
        var quarantine = Path.Combine(Logs, ".quarantine");
        var kept = Directory.Exists(quarantine) ? string.Concat(Directory.GetFiles(quarantine, "*.jsonl").Select(File.ReadAllText)) : "";
        _quarantined.RemoveWhere(mark => !kept.Contains(mark, StringComparison.Ordinal));
    }

    private void TouchJournal()
    {
        _lately.Add("a touch of the journal");
        if (LogFolder.Segments(Logs).LastOrDefault() is not { } segment)
            return;

        switch (_random.Next(5))
        {
            case 0: Directory.Delete(Path.GetDirectoryName(segment)!, recursive: true); break;
            case 1: File.Delete(segment); break;
            case 2: File.Move(segment, _folder[$"away-{Guid.NewGuid():N}"]); break;
            case 3: File.AppendAllText(segment, "rubbish"); break;
            default:
                using (var file = new FileStream(segment, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
                    file.SetLength(_random.NextInt64(file.Length + 1));
                break;
        }
    }

    private void TouchQuarantine()
    {
        if (Directory.Exists(Path.Combine(Logs, ".quarantine")) && Directory.GetFiles(Path.Combine(Logs, ".quarantine"), "2???????.jsonl").Max(StringComparer.Ordinal) is { } file)
            TouchQuarantine(file, Any(ExternalChanges.ForFiles));
    }

    private void TouchQuarantine(string file, string how) =>
        Touch($"the quarantine {how}", () => ExternalChanges.ApplyToFile(how, file, """{"what":"somebody's"}""", _random));

    private async Task EmptyJournalAsync()
    {
        _lately.Add("a checkpoint");
        Assert.NotNull(_service!.Client);
        await Wait.UntilAsync(() => LogFolder.Segments(Logs).Length == 0, $"the journal was emptied after {After}: {string.Join('\n', _service.WarningsAndErrors.TakeLast(3))}", () => _time.Advance(TimeSpan.FromSeconds(1)));
    }

    private void Kill()
    {
        _lately.Add("a kill");
        var next = TempFolder.ForCaller();
        if (Directory.Exists(Logs))
            LogFolder.Copy(Logs, next["logs"]);
        Dispose();
        (_service, _folder) = (null, next);
    }

    private async Task StopAsync()
    {
        _lately.Add("a stop");
        await _service!.DisposeAsync();
        _service = null;
    }
}
