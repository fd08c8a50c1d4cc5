using System.Text;
using LoggingService.Rendering;
using LoggingService.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace LoggingService.Tests;

/// <summary>What repeats a removed event's words is not written, also where the record does not contain that event.</summary>
public class RemovedOriginalTests : RemovedWordsTestBase
{
    private const string Ban = """{"membership":"ban","redact_events":true}""";

    /// <summary>An event of bob's, its content, and its line after an edit and a poll end whose originals were removed.</summary>
    public static TheoryData<string, string, string> Mentions => new()
    {
        {
            "m.room.message", Text("why?", """{"m.in_reply_to":{"event_id":"$edit"}}"""),
            "<@bob:localhost, to the removed edit of @alice:localhost {0}> why?"
        },
        {
            "m.room.message", Text("why?", """{"m.in_reply_to":{"event_id":"$edit2"}}"""),
            "<@bob:localhost, to the removed edit of @alice:localhost {1}> why?"
        },
        {
            "m.room.message", Text("why?", """{"m.in_reply_to":{"event_id":"$end"}}"""),
            "<@bob:localhost, to the removed poll result of @mod:localhost {2}> why?"
        },
        {
            "m.room.message", Text("why?", """{"rel_type":"m.thread","event_id":"$edit"}"""),
            "<@bob:localhost, in the thread of the removed edit of @alice:localhost {0}> why?"
        },
        {
            "m.reaction", """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$edit","key":"👍"}}""",
            "*** @bob:localhost reacted \"👍\" to the removed edit of @alice:localhost {0}"
        },
        {
            "m.room.redaction", """{"redacts":"$reaction"}""",
            "*** @bob:localhost removed the reaction \"❤️\" of @bob:localhost {3} to the removed edit of @alice:localhost {0}"
        },
        {
            "m.poll.end", """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"my secret won"}]}""",
            "<@bob:localhost, ends the removed poll $poll>"
        },
    };

    [Theory]
    [MemberData(nameof(Mentions))]
    public async Task The_edit_of_a_removed_message_that_is_not_in_the_record_is_not_quoted(string type, string content, string line)
    {
        using var folder = TempFolder.ForCaller();
        string[] secrets =
        [
            Edit("$edit", "$gone", "my secret token", 1), Edit("$edit2", "$edit", "my secret token", 2),
            Event("$end", "@mod:localhost", "m.poll.end",
                """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"my secret won"}]}""", 3),
            Event("$reaction", "@bob:localhost", "m.reaction",
                """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$edit","key":"❤️"}}""", 4),
            Redaction("$r1", "$gone"), Redaction("$r2", "$poll"),
        ];
        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon), folder))
        {
            await PushAsync(service, [.. secrets, Event("$same", "@bob:localhost", type, content, 98)]);
            await PushAsync(service, Event("$next", "@bob:localhost", type, content, 99));
            var now = Expected("12:00:0");
            Assert.Equal([now, now], service.Lines(Room).TakeLast(2));
        }

        using (var service = new ServiceUnderTest(new FakeTimeProvider(Noon.AddDays(2)), folder))
        {
            await PushAsync(service, Event("$later", "@bob:localhost", type, content, 200_000));
            Assert.Equal(Expected("2026-11-26 12:00:0"), Assert.Single(service.Lines(Room)));
        }

        string Expected(string time) => line.Replace("{0}", $"{time}1", StringComparison.Ordinal)
            .Replace("{1}", $"{time}2", StringComparison.Ordinal)
            .Replace("{2}", $"{time}3", StringComparison.Ordinal)
            .Replace("{3}", $"{time}4", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pin_of_such_an_edit_names_it_without_its_words()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service, Edit("$edit", "$gone", "my secret token"), Redaction("$r", "$gone"),
            Event("$pin", "@bob:localhost", "m.room.pinned_events", """{"pinned":["$edit"]}""", 80,
                ",\"state_key\":\"\",\"unsigned\":{\"prev_content\":{\"pinned\":[]}}"));
        Assert.Equal("*** @bob:localhost pinned the removed edit of @alice:localhost 12:01:00 (1 in all)", service.Lines(Room)[^1]);
    }

    [Theory]
    [InlineData("poll \"Lunch?\" ended", "@alice:localhost")]
    [InlineData("ends the poll \"Lunch?\" of @alice:localhost 12:00:00", "@mod:localhost")]
    public async Task The_result_of_a_removed_poll_is_not_quoted_whoever_ended_it(string head, string sender)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service,
            Event("$poll", "@alice:localhost", "m.poll.start",
                """{"m.poll":{"question":{"m.text":[{"body":"Lunch?"}]},"answers":[{"m.id":"1","m.text":[{"body":"my secret"}]}]}}""", 0),
            Event("$end", sender, "m.poll.end",
                """{"m.relates_to":{"rel_type":"m.reference","event_id":"$poll"},"m.text":[{"body":"my secret won"}]}""", 1),
            Reply("$before", "$end"), Redaction("$r", "$poll"), Reply("$after", "$end"));
        var lines = service.Lines(Room);
        Assert.Equal($"<{sender}, {head}> my secret won", lines[1]);
        Assert.Equal($"<@bob:localhost, to {sender} 12:00:01 poll result \"my secret won\"> why?", lines[2]);
        Assert.Equal($"<@bob:localhost, to the removed poll result of {sender} 12:00:01> why?", lines[^1]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_late_edit_shows_nothing_where_its_original_was_removed_and_is_not_in_the_record(bool byItsId)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        var removal = byItsId
            ? Redaction("$removal", "$gone")
            : Event("$removal", "@mod:localhost", "m.room.member", Ban, 1, ",\"state_key\":\"@alice:localhost\"");
        string[] late =
        [
            Edit("$late", "$gone", "my secret token"),
            Edit("$malformed", "$gone", "my secret token")
                .Replace("\"m.new_content\":{", "\"m.new_content\":[],\"x\":{", StringComparison.Ordinal),
        ];
        await PushAsync(service, [removal, .. late]);
        await PushAsync(service, Edit("$other", "$unknown", "hello", sender: "@bob:localhost"));
        Assert.Equal(
            [
                "<@alice:localhost, edit of the removed event $gone>", "<@alice:localhost, invalid edit of the removed event $gone>",
                "<@bob:localhost, edit of $unknown> hello",
            ],
            service.Lines(Room).Skip(1));
    }

    /// <summary>An event whose generic line would contain words that were removed.</summary>
    [Theory]
    [InlineData(
        "com.example.thing",
        """{"text":"* my secret","m.new_content":{"text":"my secret"},"m.relates_to":{"rel_type":"m.replace","event_id":"$secret"}}""")]
    [InlineData(
        "com.example.thing",
        """{"text":"* my secret","m.new_content":{"text":"my secret"},"m.relates_to":{"rel_type":"m.replace","event_id":"$gone"}}""")]
    [InlineData(
        "m.reaction",
        """{"m.new_content":{"text":"my secret"},"m.relates_to":{"rel_type":"m.replace","event_id":"$secret"}}""")]
    [InlineData(
        "com.example.thing",
        """{"body":"> <@alice:localhost> my secret\n\nwhy?","m.relates_to":{"m.in_reply_to":{"event_id":"$secret"}}}""")]
    [InlineData(
        "m.room.message",
        """{"msgtype":5,"body":"> <@alice:localhost> my secret\n\nwhy?","m.relates_to":{"m.in_reply_to":{"event_id":"$gone"}}}""")]
    [InlineData(
        "m.poll.end",
        """{"m.text":[{"body":"my secret won"},5],"m.relates_to":{"rel_type":"m.reference","event_id":"$secret"}}""")]
    public async Task A_generic_line_does_not_show_content_that_repeats_a_removed_event(string type, string content)
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        string[] events =
        [
            Event("$secret", "@alice:localhost", "com.example.thing", """{"text":"my secret"}""", 0),
            Event("$before", "@alice:localhost", type, content, 1),
            Redaction("$r1", "$secret"), Redaction("$r2", "$gone"),
            Event("$same", "@alice:localhost", type, content, 2),
        ];
        await PushAsync(service, events);
        await PushAsync(service, Event("$next", "@alice:localhost", type, content, 3));
        var lines = service.Lines(Room);
        Assert.Contains("my secret", lines[1], StringComparison.Ordinal);
        var expected = $"*** @alice:localhost {type} (may repeat a removed event; see the record)";
        Assert.Equal([expected, expected], lines.TakeLast(2));
    }

    [Fact]
    public void Nor_does_the_line_of_an_event_that_could_not_be_rendered()
    {
        Assert.Equal("(may repeat a removed event; see the record)\n", Fallback("""{"m.relates_to":{"rel_type":"m.replace"}}"""));
        Assert.Equal("(may repeat a removed event; see the record)\n", Fallback("""{"m.relates_to":{"m.in_reply_to":{}}}"""));
        Assert.Equal("{\"body\":\"hello\"}\n", Fallback("""{"body":"hello"}"""));

        static string Fallback(string content)
        {
            var output = new LineBuffer();
            LogLine.WriteFallback(output, LineOf.Event("@bob:x", "com.example.thing", content), TimeZoneInfo.Utc);
            return Encoding.UTF8.GetString(output.Written)["2026-11-23 19:20:11 +00:00 *** @bob:x com.example.thing ".Length..];
        }
    }

    [Fact]
    public async Task The_words_of_another_user_about_a_removed_event_are_shown()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        const string Content = """{"text":"wrong","m.relates_to":{"rel_type":"m.replace","event_id":"$secret"}}""";
        await PushAsync(
            service,
            Event("$secret", "@alice:localhost", "com.example.thing", """{"text":"my secret"}""", 0), Redaction("$r1", "$secret"),
            Event("$foreign", "@bob:localhost", "com.example.thing", Content, 1));
        Assert.Equal($"*** @bob:localhost com.example.thing {Content}", service.Lines(Room)[^1]);
    }

    [Fact]
    public async Task The_edit_of_a_reply_is_quoted_without_the_words_that_the_reply_quotes()
    {
        using var service = new ServiceUnderTest(new FakeTimeProvider(Noon));
        await PushAsync(
            service, Event("$secret", "@alice:localhost", "m.room.message", Text(Secret), 0),
            Reply("$reply", "$secret"), Edit("$edit", "$reply", "> <@alice:localhost> my secret token\\n\\nwhere?", 60, "@bob:localhost"),
            Redaction("$r1", "$secret"), Reply("$last", "$edit"));
        Assert.Equal("<@bob:localhost, to @bob:localhost 12:01:00 \"where?\"> why?", service.Lines(Room)[^1]);
    }
}
