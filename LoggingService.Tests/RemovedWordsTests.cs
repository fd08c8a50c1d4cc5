using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>Words that were removed are never written again: in no kind of line, on no later day, to no listener.</summary>
public class RemovedWordsTests : RemovedWordsTestBase
{
    private const string Removed = "the removed message of @alice:localhost";
    /// <summary>An event of bob's, its content, and its line after the removal; {0} is the time of the removed message.</summary>
    public static TheoryData<string, string, string> Mentions => new()
    {
        {
            "m.room.message", Text("why?", """{"m.in_reply_to":{"event_id":"$secret"}}"""),
            "<@bob:localhost, to the removed message of {0}> why?"
        },
        {
            "m.room.message", Text("> <@alice:localhost> my secret token\\n\\nwhy?", """{"m.in_reply_to":{"event_id":"$secret"}}"""),
            "<@bob:localhost, to the removed message of {0}> why?"
        },
        {
            "m.room.message", Text("> <@alice:localhost> my secret token", """{"m.in_reply_to":{"event_id":"$secret"}}"""),
            "<@bob:localhost, to the removed message of {0}, empty>"
        },
        {
            "m.room.message", Text("in thread", """{"rel_type":"m.thread","event_id":"$secret"}"""),
            "<@bob:localhost, in the thread of the removed message of {0}> in thread"
        },
        {
            "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$secret","key":"👍"}}""",
            "*** @bob:localhost reacted \"👍\" to the removed message of {0}"
        },
        {
            "m.poll.response", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.selections":["1"]}""",
            "*** @bob:localhost voted in the removed poll of {0}"
        },
        {
            "m.poll.end", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"my secret token won"}]}""",
            "<@bob:localhost, ends the removed poll of {0}>"
        },
        {
            "m.room.message", Text("what?", """{"m.in_reply_to":{"event_id":"$edit"}}"""),
            "<@bob:localhost, to the removed edit of {0}> what?"
        },
        {
            "m.room.redaction", """{"redacts":"$reaction"}""",
            "*** @bob:localhost removed the reaction \"❤️\" of @bob:localhost {1} to the removed message of {0}"
        },
    };

    [Theory]
    [MemberData(nameof(Mentions))]
    public async Task A_removed_message_is_quoted_in_no_kind_of_line(string type, string content, string line)
    {
        var clock = new FakeTimeProvider(Noon);
        using var service = new ServiceUnderTest(clock);
        await PushSecretsAsync(service);
        await PushAsync(service, Event("$now", "@bob:localhost", type, content, 100));

        var now = service.Lines(Room)[^1];
        var first = type.StartsWith("m.poll", StringComparison.Ordinal) ? "12:00:01"
            : content.Contains("$edit", StringComparison.Ordinal) ? "12:00:02" : "12:00:00";
        Assert.Equal(line.Replace("{0}", $"@alice:localhost {first}").Replace("{1}", "12:00:03"), now);
    }

    [Theory]
    [MemberData(nameof(Mentions))]
    public async Task Nor_on_a_later_day_after_a_restart_and_in_the_same_transaction(string type, string content, string line)
    {
        Assert.NotEmpty(line);
        using var folder = TempFolder.ForCaller();
        var clock = new FakeTimeProvider(Noon);
        using (var service = new ServiceUnderTest(clock, folder))
        {
            await PushSecretsAsync(service, Event("$same", "@bob:localhost", type, content, 99));
            AssertSilent(service.Lines(Room)[^1]);
        }

        clock.SetUtcNow(Noon.AddDays(2));
        using (var service = new ServiceUnderTest(clock, folder))
        {
            await PushAsync(service, Event("$later", "@bob:localhost", type, content, 100));
            Assert.Contains("removed", AssertSilent(Assert.Single(service.Lines(Room))), StringComparison.Ordinal);
            Assert.Empty(service.WarningsAndErrors);
        }
    }

    [Fact]
    public async Task Listeners_get_the_same_line()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushSecretsAsync(service);
        await PushAsync(service, Reply("$reply", "$secret"));
        await Wait.UntilAsync(() => Lines().Any(line => line.Contains("why?", StringComparison.Ordinal)), "the line is shown");
        AssertSilent(Lines().Single(line => line.Contains("why?", StringComparison.Ordinal)));

        IEnumerable<string> Lines() => service.Logged.Select(e => e.RenderMessage());
    }

    [Fact]
    public async Task What_replaced_state_said_is_removed_with_it()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service,
            Event("$name1", "@alice:localhost", "m.room.name", """{"name":"my secret token"}""", 0, ",\"state_key\":\"\""),
            Redaction("$r1", "$name1"),
            Event(
                "$name2", "@alice:localhost", "m.room.name", """{"name":"plain"}""", 2,
                ",\"state_key\":\"\",\"unsigned\":{\"replaces_state\":\"$name1\",\"prev_content\":{\"name\":\"my secret token\"}}"),
            Event(
                "$join1", "@bob:localhost", "m.room.member", """{"membership":"join","displayname":"my secret token"}""", 3,
                ",\"state_key\":\"@bob:localhost\""),
            Redaction("$r2", "$join1"),
            Event(
                "$join2", "@bob:localhost", "m.room.member", """{"membership":"join","displayname":"Bob"}""", 5,
                ",\"state_key\":\"@bob:localhost\""));

        var lines = service.Lines(Room);
        Assert.Equal("*** @alice:localhost set the room name to \"plain\"", lines[2]);
        Assert.Equal("*** @bob:localhost set their name to \"Bob\"", lines[5]);
    }

    [Fact]
    public async Task Pins_name_a_removed_message_without_its_words()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushSecretsAsync(
            service,
            Event("$pin", "@bob:localhost", "m.room.pinned_events", """{"pinned":["$secret"]}""", 20,
                ",\"state_key\":\"\",\"unsigned\":{\"prev_content\":{\"pinned\":[]}}"),
            Event("$unpin", "@bob:localhost", "m.room.pinned_events", """{"pinned":[]}""", 21, ",\"state_key\":\"\""));
        Assert.Equal(
            [$"*** @bob:localhost pinned {Removed} 12:00:00 (1 in all)", $"*** @bob:localhost unpinned {Removed} 12:00:00 (none left)"],
            service.Lines(Room).TakeLast(2));
    }

    [Fact]
    public async Task A_ban_can_remove_all_earlier_messages_of_a_user_and_none_of_the_later_ones()
    {
        using var folder = TempFolder.ForCaller();
        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon), folder))
        {
            await PushAsync(
                service,
                Event("$secret", "@alice:localhost", "m.room.message", Text(Secret), 0),
                Event("$ban", "@mod:localhost", "m.room.member", """{"membership":"ban","redact_events":true}""", 1,
                    ",\"state_key\":\"@alice:localhost\""),
                Reply("$reply1", "$secret"));
            Assert.Equal($"<@bob:localhost, to {Removed} 12:00:00> why?", service.Lines(Room)[^1]);
        }

        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon.AddDays(1)), folder))
        {
            await PushAsync(
                service, Event("$new", "@alice:localhost", "m.room.message", Text("sorry"), 100_000), Reply("$reply2", "$new"),
                Reply("$reply3", "$secret"));
            Assert.Contains("\"sorry\"", service.Lines(Room)[1], StringComparison.Ordinal);
            AssertSilent(service.Lines(Room)[2]);
        }
    }

    [Theory]
    [InlineData("""{"membership":"leave","redact_events":true}""", "@alice:localhost")]
    [InlineData("""{"membership":"join","redact_events":true}""", "@mod:localhost")]
    [InlineData("""{"membership":"ban"}""", "@mod:localhost")]
    public async Task Other_changes_of_membership_remove_nothing(string content, string sender)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service,
            Event("$hello", "@alice:localhost", "m.room.message", Text("hello"), 0),
            Event("$member", sender, "m.room.member", content, 1, ",\"state_key\":\"@alice:localhost\""),
            Reply("$reply", "$hello"));
        Assert.Contains("\"hello\"", service.Lines(Room)[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_that_arrives_after_its_redaction_is_shown_as_removed(bool inOneTransaction)
    {
        using var folder = TempFolder.ForCaller();
        string[] events =
        [
            Redaction("$redaction", "$secret"), Event("$other", "@alice:localhost", "m.room.message", Text("hello"), 1),
            Event("$secret", "@alice:localhost", "m.room.message", Text(Secret), 0), Redaction("$r2", "$topic"),
            Event("$topic", "@alice:localhost", "m.room.topic", """{"topic":"my secret token"}""", 0, ",\"state_key\":\"\""),
        ];
        foreach (var part in inOneTransaction ? [events] : events.Select(e => new[] { e }))
        {
            using var service = new ServiceUnderTest(new FakeTimeProvider(Noon), folder);
            await PushAsync(service, part);
        }

        Assert.Equal(
            [
                "*** @alice:localhost removed the event $secret", "<@alice:localhost> hello",
                "<@alice:localhost, removed before it was logged>", "*** @alice:localhost removed the event $topic",
                "*** @alice:localhost changed the topic, removed before it was logged",
            ],
            File.ReadAllLines(folder["logs", Room, "20261126.log"]).Select(line => line[27..]));
    }

    [Fact]
    public async Task A_late_edit_of_a_removed_message_does_not_repeat_it()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushSecretsAsync(
            service,
            Edit("$late", "$secret", "my secret token!"),
            Edit("$foreign", "$secret", "that was wrong", sender: "@bob:localhost"),
            Edit("$malformed", "$secret", "my secret token!")
                .Replace("\"m.new_content\":{", "\"m.new_content\":[],\"x\":{", StringComparison.Ordinal));
        Assert.Equal(
            [
                $"<@alice:localhost, edit of {Removed} 12:00:00>",
                $"<@bob:localhost, invalid edit of {Removed} 12:00:00> * that was wrong",
                $"<@alice:localhost, invalid edit of {Removed} 12:00:00>",
            ],
            service.Lines(Room).TakeLast(3));
    }

    /// <summary>Synapse applies such a redaction, and answers its clients without the words.</summary>
    [Theory]
    [InlineData("soft_failed", "soft-failed")]
    [InlineData("policy_server_spammy", "marked as spam")]
    public async Task A_redaction_that_the_homeserver_rejects_softly_removes_too(string key, string notice)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service,
            Event("$secret", "@alice:localhost", "m.room.message", Text(Secret), 0),
            Redaction("$redaction", "$secret")
                .Replace(",\"redacts\"", $",\"unsigned\":{{\"io.element.synapse.{key}\":true}},\"redacts\"", StringComparison.Ordinal),
            Reply("$reply", "$secret"));
        Assert.Equal(
            [
                $"*** ({notice}) @alice:localhost removed the message of @alice:localhost 12:00:00",
                $"<@bob:localhost, to {Removed} 12:00:00> why?",
            ],
            service.Lines(Room).Skip(1));
    }

    [Fact]
    public async Task A_text_that_is_rendered_again_is_as_it_was()
    {
        using var folder = TempFolder.ForCaller();
        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon), folder))
        {
            await PushAsync(service, Event("$hello", "@alice:localhost", "m.room.message", Text("hello"), 0));
            await PushAsync(service, Reply("$before", "$hello"), Edit("$edit", "$hello", "hello world"));
            await PushAsync(service, Reply("$edited", "$hello"), Redaction("$r1", "$edit"), Reply("$again", "$hello"));
            await PushAsync(service, Redaction("$r2", "$hello"), Redaction("$r3", "$hello"), Reply("$after", "$hello"));
            Assert.Equal(
                ["\"hello\"", "\"hello world\"", "\"hello\"", $"{Removed} 12:00:00"],
                service.Lines(Room).Where(line => line.EndsWith("> why?", StringComparison.Ordinal))
                    .Select(line => line.Replace("<@bob:localhost, to ", "").Replace("@alice:localhost 12:00:00 \"", "\"")[..^6]));
        }

        var text = folder["logs", Room, "20261126.log"];
        var written = File.ReadAllLines(text);
        File.WriteAllText(text, "");
        File.Delete(folder["logs", Room, "20261126.ids"]);
        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon), folder))
        {
            await PushAsync(service, Reply("$last", "$hello"));
        }

        Assert.Equal(written, File.ReadAllLines(text)[..^1]);
    }

    private static string AssertSilent(string line)
    {
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        return line;
    }
}
