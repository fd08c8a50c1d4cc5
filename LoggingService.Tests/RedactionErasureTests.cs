using LoggingService.Erasure;
using LoggingService.RoomLogs;
using LoggingService.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace LoggingService.Tests;

/// <summary>The setting Redactions.</summary>
public class RedactionErasureTests : ErasureTestBase
{
    [Theory]
    [InlineData("keep")]
    [InlineData("erase")]
    public async Task A_redaction_days_later_erases_the_words_also_of_a_compressed_day_if_the_setting_says_so(string mode)
    {
        using var service = Start(mode);
        await LogAsync(service);
        var before = AllLines(Room, "log");
        var ids = AllIds(Room);
        await PushAsync(service, Redaction("$redaction", Room, "$secret"));
        if (mode == "keep")
        {
            // As long as an erasure takes, by the service's clock.
            Time.Advance(TimeSpan.FromMinutes(1));
            await PushAsync(service, Event("$next", Room, Bob, "m.room.message", Text("next")));
            Assert.Equal(before, AllLines(Room, "log")[..before.Length]);
            Assert.NotEmpty(FilesWith(Logs, "the zanzibar words"));
            return;
        }

        await UntilErasedAsync("the zanzibar words");
        var text = AllLines(Room, "log");
        Assert.Equal(before.Length + 1, text.Length);
        Assert.Equal($"<{Alice}, erased>", text[1]);
        Assert.Equal($"<{Bob}, to the removed message of {Alice} 12:00:00> really?", text[3]);
        Assert.Equal(before[2], text[2]);
        Assert.Equal($"*** {Alice} removed the message of {Alice} 2025-11-20 12:00:00 $secret", text[^1]);
        Assert.Equal([.. ids, "$redaction"], AllIds(Room));
        Assert.Matches(""","received_ts":\d+,"erased":"\$redaction"\}$""", AllLines(Room, "jsonl")[1]);
        Assert.NotEmpty(FilesWith(Logs, "zanzibar topic"));

        // A checkpoint that met the closed log has parked the room; that after the next event drops the copy.
        await PushAsync(service, Event("$later", Room, Bob, "m.room.message", Text("later")));
        await Wait.UntilAsync(
            () => Directory.GetDirectories(Path.Combine(Logs, ".journal")).Length == 0,
            "no room is parked",
            () => Time.Advance(TimeSpan.FromSeconds(1)));
        await AssertVerifiedAsync();
    }

    [Fact]
    public async Task A_redaction_just_after_midnight_erases_the_words_of_the_day_before()
    {
        using var service = Start("erase");
        Time.SetUtcNow(First.Date.AddDays(1).AddSeconds(-1));
        await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        Time.Advance(TimeSpan.FromSeconds(2));
        await PushAsync(
            service, Reply("$reply", Room, Bob, "$secret", $"> <{Alice}> the {Secret} words\n\nwhat?"),
            Redaction("$redaction", Room, "$secret"));
        await UntilErasedAsync(Secret);
        Assert.Equal(
            [
                $"<{Alice}, erased>",
                $"<{Bob}, to the removed message of {Alice} 2025-11-20 23:59:59> what?",
                $"*** {Alice} removed the message of {Alice} 2025-11-20 23:59:59",
            ],
            AllLines(Room, "log"));
        await PushAsync(service, Event("$next", Room, Bob, "m.room.message", Text("next")));
        Assert.Equal($"<{Bob}> next", AllLines(Room, "log")[^1]);
    }

    [Fact]
    public async Task A_ban_that_redacts_erases_all_that_the_user_wrote_before_it()
    {
        using var service = Start("erase");
        await LogAsync(service);
        await PushAsync(
            service,
            Event("$ban", Room, Bob, "m.room.member", """{"membership":"ban","redact_events":true}""", stateKey: Alice),
            Event("$later", Room, Alice, "m.room.message", Text("after the ban")));
        await UntilErasedAsync("zanzibar words", "zanzibar topic", "zanzibar won");
        Assert.Contains($"<{Alice}> zanzibar here", AllLines(Other, "log"));
        Assert.Contains($"<{Alice}> after the ban", AllLines(Room, "log"));
    }

    [Fact]
    public async Task A_redaction_that_was_logged_just_before_a_stop_is_applied_after_the_next_start()
    {
        using (var service = Start("erase"))
        {
            await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
            await PushAsync(service, Redaction("$redaction", Room, "$secret"));
        }

        Assert.NotEmpty(FilesWith(Logs, Secret));
        using var next = Start("erase");
        _ = next.Client;
        await UntilErasedAsync(Secret);
    }

    [Fact]
    public async Task A_ban_that_was_fetched_erases_what_was_sent_before_it_not_what_is_above_it()
    {
        using var service = Start("erase");
        var early = Event("$early", Room, Alice, "m.room.message", Text($"the {Secret} words"));
        Time.Advance(TimeSpan.FromHours(1));
        var ban = Event("$ban", Room, Bob, "m.room.member", """{"membership":"ban","redact_events":true}""", stateKey: Alice);
        Time.Advance(TimeSpan.FromHours(1));
        await PushAsync(service, early, Event("$later", Room, Alice, "m.room.message", Text("after the ban")));
        await AppendAsync(service, Fetched(ban));
        await UntilErasedAsync(Secret);
        Assert.Equal([$"<{Alice}, erased>", $"<{Alice}> after the ban"], AllLines(Room, "log")[..2]);
    }

    [Fact]
    public async Task A_ban_erases_what_is_fetched_behind_it_if_it_was_sent_before()
    {
        using var service = Start("erase");
        var early = Event("$early", Room, Alice, "m.room.message", Text($"the {Secret} words"));
        Time.Advance(TimeSpan.FromHours(1));
        await PushAsync(
            service, Event("$ban", Room, Bob, "m.room.member", """{"membership":"ban","redact_events":true}""", stateKey: Alice));
        Time.Advance(TimeSpan.FromSeconds(1));
        var later = Event("$later", Room, Alice, "m.room.message", Text("after the ban"));
        await AppendAsync(service, Fetched(early), Fetched(later));
        await UntilErasedAsync(Secret);
        Assert.Equal("$early", AllIds(Room)[1]);
        Assert.Equal($"<{Alice}> after the ban", AllLines(Room, "log")[2]);
    }

    [Fact]
    public async Task A_text_that_a_crash_left_as_it_was_is_erased_after_the_next_start()
    {
        var text = Path.Combine(Logs, Room, $"{FirstDay}.log");
        string[] old;
        using (var service = Start("erase"))
        {
            await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
            old = await File.ReadAllLinesAsync(text, TestContext.Current.CancellationToken);
            await PushAsync(service, Redaction("$redaction", Room, "$secret"));
            await UntilErasedAsync(Secret);
        }

        // The record was replaced, the text not yet.
        var lines = await File.ReadAllLinesAsync(text, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(text, [old[0], lines[1]], TestContext.Current.CancellationToken);
        using var next = Start("erase");
        _ = next.Client;
        await UntilErasedAsync(Secret);
        Assert.Equal($"<{Alice}, erased>", AllLines(Room, "log")[0]);
    }

    [Fact]
    public async Task Words_that_a_repair_has_cut_and_will_append_again_are_erased()
    {
        using var service = Start();
        await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        var record = Path.Combine(Logs, Room, $"{FirstDay}.jsonl");
        using var go = new ManualResetEventSlim();
        using var started = new ManualResetEventSlim();
        var repair = service.Services.GetRequiredService<LogDirectory>().Rewriting.RunAsync(Room, Repair);
        Assert.True(started.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));

        var scope = new ErasureScope(
            new Dictionary<string, string?> { ["$secret"] = "$redaction" }, new Dictionary<string, RedactingBan?>());
        var folder = new RoomFolder(Logs, Room, TimeZoneInfo.Utc, NullLogger.Instance);
        var erasing = service.Services.GetRequiredService<Eraser>().RunAsync(folder, scope, new ErasureReport());
        await Wait.UntilAsync(
            () => erasing.IsCompleted || LogFolder.ParkedSegments(Logs, Room).Length > 0, "the erasure meets the repair");
        go.Set();
        await repair;
        await erasing;
        Assert.Equal([$"<{Alice}, erased>"], AllLines(Room, "log"));
        Assert.Empty(FilesWith(Path.Combine(Logs, Room), Secret));

        bool Repair()
        {
            File.Move(record, $"{record}.cut");
            started.Set();
            Assert.True(go.Wait(TimeSpan.FromSeconds(60)));
            File.Move($"{record}.cut", record);
            return true;
        }
    }

    [Theory]
    [InlineData("m.room.redaction")]
    [InlineData("m.room.member")]
    public async Task A_day_that_cannot_be_searched_is_named_in_the_services_log(string type)
    {
        using var service = Start("erase");
        await PushAsync(service, Event("$first", Room, Alice, "m.room.message", Text("the first words")));
        await NextDayAsync(service);
        await PushAsync(service, Event("$secret", Room, Alice, "m.room.message", Text($"the {Secret} words")));
        await service.CheckpointAsync();
        await File.WriteAllTextAsync(
            Path.Combine(Logs, Room, $"{FirstDay}.jsonl"), "damaged\n", TestContext.Current.CancellationToken);
        await PushAsync(
            service,
            type == "m.room.member"
                ? Event("$ban", Room, Bob, type, """{"membership":"ban","redact_events":true}""", stateKey: Alice)
                : Redaction("$redaction", Room, "$first"));
        await Wait.UntilAsync(
            () => service.Logged.Any(e => e.RenderMessage() is var text
                && text.Contains(Room, StringComparison.Ordinal) && text.Contains($"{FirstDay}.jsonl: ", StringComparison.Ordinal)),
            "it is logged", () => Time.Advance(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public async Task A_reply_is_to_a_removed_message_only_if_that_was_sent_before_the_ban_that_was_fetched()
    {
        using var service = Start();
        var early = Event("$early", Room, Alice, "m.room.message", Text("before the ban"));
        Time.Advance(TimeSpan.FromHours(1));
        var ban = Event("$ban", Room, Bob, "m.room.member", """{"membership":"ban","redact_events":true}""", stateKey: Alice);
        Time.Advance(TimeSpan.FromHours(1));
        var second = Event("$ban2", Room, Bob, "m.room.member", """{"membership":"ban","redact_events":true}""", stateKey: Alice);
        await PushAsync(service, early, Event("$later", Room, Alice, "m.room.message", Text("after the ban")));
        await AppendAsync(service, Fetched(ban));
        await PushAsync(service, Reply("$to1", Room, Bob, "$early", "hm"), Reply("$to2", Room, Bob, "$later", "hm"));
        var lines = AllLines(Room, "log");
        Assert.Equal($"<{Bob}, to the removed message of {Alice} 12:00:00> hm", lines[^2]);
        Assert.StartsWith($"<{Bob}, to {Alice} 14:00:00", lines[^1], StringComparison.Ordinal);

        // A ban that was pushed counts by its place, also above one that was fetched.
        await PushAsync(service, second);
        await AppendAsync(service, Fetched(ban.Replace("$ban", "$ban3", StringComparison.Ordinal)));
        await PushAsync(service, Reply("$to3", Room, Bob, "$later", "hm"));
        Assert.Equal($"<{Bob}, to the removed message of {Alice} 14:00:00> hm", AllLines(Room, "log")[^1]);
    }

    [Fact]
    public async Task The_log_of_a_room_without_the_redacted_event_stays_open()
    {
        using var service = Start("erase");
        await PushAsync(
            service,
            Event("$kept", Room, Bob, "m.room.message", Text("nothing of note")),
            Event("$old", Other, Alice, "m.room.message", Text("the oldfangled words")),
            Event("$secret", Other, Alice, "m.room.message", Text($"the {Secret} words")));

        // The first round after a start may have been interrupted before.
        await PushAsync(service, Redaction("$zeroth", Other, "$old"));
        await UntilErasedInOtherAsync("oldfangled");
        await PushAsync(service, Redaction("$first", Room, "$unknown"), Redaction("$second", Other, "$secret"));
        await UntilErasedInOtherAsync(Secret);

        // A log that is closed saves its ids.
        await Wait.UntilAsync(() => File.Exists(Path.Combine(Logs, Other, $"{FirstDay}.ids")), "the other room's log was closed");
        Assert.False(File.Exists(Path.Combine(Logs, Room, $"{FirstDay}.ids")));

        Task UntilErasedInOtherAsync(string word) => Wait.UntilAsync(
            () => FilesWith(Path.Combine(Logs, Other), word).Count == 0, "it is erased", () => Time.Advance(TimeSpan.FromSeconds(1)));
    }

    /// <summary>Redactions are collected for a few seconds, by the service's clock.</summary>
    [Fact]
    public async Task A_room_in_which_it_fails_again_and_again_delays_no_other()
    {
        using var service = Start("erase");
        string[] ids = ["$first", "$second", "$third"];
        await PushAsync(
            service,
            [
                Event("$failing", Room, Alice, "m.room.message", Text("words")),
                .. ids.Select(id => Event(id, Other, Alice, "m.room.message", Text($"the {id[1..]} words"))),
            ]);
        Directory.CreateDirectory(Path.Combine(Logs, Room, $"{FirstDay}.jsonl.new", "obstacle"));
        await PushAsync(service, Redaction("$redaction", Room, "$failing"));
        foreach (var id in ids)
        {
            // After each failure, the failing room is due later.
            await PushAsync(service, Redaction($"{id}-redaction", Other, id));
            Time.Advance(TimeSpan.FromSeconds(11));
            await Wait.UntilAsync(() => FilesWith(Path.Combine(Logs, Other), $"the {id[1..]} words").Count == 0, $"{id} is erased");
        }

        Assert.Single(service.WarningsAndErrors, line => line.Contains("is denied", StringComparison.Ordinal));
        Assert.NotEmpty(FilesWith(Path.Combine(Logs, Room), "words"));
        Directory.Delete(Path.Combine(Logs, Room, $"{FirstDay}.jsonl.new"), recursive: true);
        await Wait.UntilAsync(
            () => FilesWith(Path.Combine(Logs, Room), "words").Count == 0, "it is erased later",
            () => Time.Advance(TimeSpan.FromSeconds(1)));
    }

    private Task UntilErasedAsync(params string[] words) => Wait.UntilAsync(
        () => words.All(word => FilesWith(Path.Combine(Logs, Room), word).Count == 0),
        "the words are erased",
        () => Time.Advance(TimeSpan.FromSeconds(1)));
}
