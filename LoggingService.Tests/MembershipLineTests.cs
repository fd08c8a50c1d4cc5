using System.Text;
using LoggingService.Events;
using LoggingService.Rendering;
using LoggingService.Tests.Support;

namespace LoggingService.Tests;

public class MembershipLineTests
{
    private const string Carol = "@carol:example.org";
    private const string Alice = "@alice:example.org";

    [Theory]
    [InlineData("leave", "invite", Alice, "@carol:example.org was invited by @alice:example.org")]
    [InlineData("ban", "invite", Alice, "@carol:example.org was invited by @alice:example.org")]
    [InlineData("invite", "invite", Alice, "@carol:example.org was invited again by @alice:example.org")]
    [InlineData("knock", "invite", Alice, "@alice:example.org accepted the knock of @carol:example.org")]
    [InlineData("leave", "join", Carol, "@carol:example.org joined")]
    [InlineData("invite", "join", Carol, "@carol:example.org joined")]
    [InlineData("knock", "join", Carol, "@carol:example.org joined")]
    [InlineData("join", "join", Carol, "@carol:example.org joined again (same name and avatar)")]
    [InlineData("invite", "leave", Carol, "@carol:example.org rejected the invitation")]
    [InlineData("invite", "leave", Alice, "@alice:example.org withdrew the invitation of @carol:example.org")]
    [InlineData("join", "leave", Carol, "@carol:example.org left")]
    [InlineData("join", "leave", Alice, "@carol:example.org was kicked by @alice:example.org")]
    [InlineData("ban", "leave", Alice, "@carol:example.org was unbanned by @alice:example.org")]
    [InlineData("knock", "leave", Carol, "@carol:example.org withdrew their knock")]
    [InlineData("knock", "leave", Alice, "@alice:example.org denied the knock of @carol:example.org")]
    [InlineData("leave", "leave", Carol, "@carol:example.org left again (nothing changed)")]
    [InlineData("leave", "leave", Alice, "@carol:example.org was removed again by @alice:example.org (nothing changed)")]
    [InlineData("leave", "ban", Alice, "@carol:example.org was banned by @alice:example.org")]
    [InlineData("invite", "ban", Alice, "@carol:example.org was banned by @alice:example.org")]
    [InlineData("knock", "ban", Alice, "@carol:example.org was banned by @alice:example.org")]
    [InlineData("join", "ban", Alice, "@carol:example.org was kicked and banned by @alice:example.org")]
    [InlineData("ban", "ban", Alice, "@carol:example.org was banned again by @alice:example.org")]
    [InlineData("leave", "knock", Carol, "@carol:example.org knocked")]
    [InlineData("invite", "knock", Carol, "@carol:example.org knocked")]
    [InlineData("knock", "knock", Carol, "@carol:example.org knocked again")]
    public void Each_transition_has_a_sentence_with_its_reason(string earlier, string now, string sender, string sentence)
    {
        var previous = $$"""{"membership":"{{earlier}}"}""";
        Assert.Equal($"*** {sentence}", Line(sender, $$"""{"membership":"{{now}}"}""", $$"""
            "unsigned":{"prev_content":{{previous}}}
            """));
        Assert.Equal($"*** {sentence}: \"a \\\"why\\\"\"", Line(sender, $$"""{"membership":"{{now}}","reason":"a \"why\""}""", $$"""
            "prev_content":{{previous}}
            """));
    }

    [Theory]
    [InlineData("join", Carol, "@carol:example.org joined")]
    [InlineData("leave", Carol, "@carol:example.org left")]
    [InlineData("leave", Alice, "@carol:example.org was removed by @alice:example.org")]
    [InlineData("invite", Alice, "@carol:example.org was invited by @alice:example.org")]
    [InlineData("ban", Alice, "@carol:example.org was banned by @alice:example.org")]
    [InlineData("knock", Carol, "@carol:example.org knocked")]
    public void Without_the_previous_membership_the_sentence_holds_for_all(string now, string sender, string sentence) =>
        Assert.Equal($"*** {sentence}", Line(sender, $$"""{"membership":"{{now}}"}"""));

    [Theory]
    [InlineData("""{"membership":"join","displayname":"Carol"}""", " as \"Carol\"")]
    [InlineData("""{"membership":"join","displayname":"carol"}""", "")]
    [InlineData("""{"membership":"join","displayname":""}""", "")]
    [InlineData("""{"membership":"join","displayname":null}""", "")]
    [InlineData("""{"membership":"join","join_authorised_via_users_server":"@alice:example.org"}""", ", let in by @alice:example.org")]
    public void A_join_shows_the_display_name_unless_it_repeats_the_id(string content, string rest) =>
        Assert.Equal($"*** @carol:example.org joined{rest}", Line(Carol, content));

    [Theory]
    [InlineData("""  "displayname":"A"  """, """  "displayname":"B"  """, "changed their name from \"A\" to \"B\"")]
    [InlineData(""" "displayname":null """, """  "displayname":"B"  """, "set their name to \"B\"")]
    [InlineData("""  "displayname":"A"  """, """ "displayname":"" """, "removed their name \"A\"")]
    [InlineData("""  "avatar_url":"mxc://x/a"  """, """ "avatar_url":"mxc://x/b" """, "changed their avatar")]
    [InlineData("""  "a":1  """, """ "avatar_url":"mxc://x/b" """, "set their avatar")]
    [InlineData("""  "avatar_url":"mxc://x/a"  """, """ "a":1 """, "removed their avatar")]
    [InlineData(
        """  "displayname":"A"  """, """  "displayname":"B","avatar_url":"mxc://x/b"  """,
        "changed their name from \"A\" to \"B\" and set their avatar")]
    public void A_repeated_join_is_a_change_of_the_profile(string earlier, string now, string change) =>
        Assert.Equal($"*** @carol:example.org {change}", Line(Carol, $$"""{"membership":"join",{{now}}}""", $$"""
            "unsigned":{"prev_content":{"membership":"join",{{earlier}} } }
            """));

    [Fact]
    public void Without_prev_content_the_previous_membership_is_read_from_the_record()
    {
        var earlier = Event(Carol, """{"membership":"join","displayname":"A"}""", "", "$earlier");
        var content = """{"membership":"join","displayname":"B"}""";
        const string Sentence = "*** @carol:example.org changed their name from \"A\" to \"B\"";

        Assert.Equal(
            Sentence,
            Render(
                Event(Carol, content, "\"unsigned\":{\"replaces_state\":\"$earlier\"}"),
                new FixedHistory(id => id == "$earlier" ? earlier : null, (_, _) => null)));
        Assert.Equal(
            Sentence,
            Render(
                Event(Carol, content, ""),
                new FixedHistory(_ => null, (type, key) => (type, key) == ("m.room.member", Carol) ? earlier : null)));
    }

    [Fact]
    public void A_membership_of_the_record_that_was_not_replaced_is_ignored()
    {
        var older = Event(Carol, """{"membership":"join","displayname":"A"}""", "", "$older");
        Assert.Equal(
            "*** @carol:example.org joined",
            Render(
                Event(Carol, """{"membership":"join"}""", "\"unsigned\":{\"replaces_state\":\"$unseen\"}"),
                new FixedHistory(_ => null, (_, _) => older)));
    }

    [Fact]
    public void The_copy_of_prev_content_outside_of_unsigned_is_used_last()
    {
        var earlier = Event(Carol, """{"membership":"join","displayname":"A"}""", "", "$earlier");
        var now = Event(
            Carol, """{"membership":"join","displayname":"B"}""",
            "\"prev_content\":{\"membership\":\"join\",\"displayname\":\"Fake\"},\"replaces_state\":\"$fake\"");
        Assert.Equal(
            "*** @carol:example.org changed their name from \"A\" to \"B\"", Render(now, new FixedHistory(_ => null, (_, _) => earlier)));
        Assert.Equal(
            "*** @carol:example.org changed their name from \"Fake\" to \"B\"", Render(now, new FixedHistory(_ => null, (_, _) => null)));
    }

    [Fact]
    public void The_membership_of_another_user_is_ignored()
    {
        var alices = RoomEventFrom(
            """{"event_id":"$a","room_id":"!r","type":"m.room.member","sender":"@alice:example.org","state_key":"@alice:"""
                + """example.org","content":{"membership":"ban"}}""");
        Assert.Equal(
            "*** @carol:example.org was removed by @alice:example.org",
            Render(
                Event(Alice, """{"membership":"leave"}""", "\"unsigned\":{\"replaces_state\":\"$a\"}"),
                new FixedHistory(_ => alices, (_, _) => null)));
    }

    [Fact]
    public void A_profile_change_that_arrives_redacted_shows_no_name() =>
        Assert.Equal("*** @carol:example.org changed their name or avatar, removed before it was logged",
            Line(
                Carol, """{"membership":"join"}""",
                "\"unsigned\":{\"redacted_because\":{},\"prev_content\":{\"membership\":\"join\",\"displayname\":\"A\"}}"));

    [Fact]
    public void An_invitation_by_mail_shows_its_address() =>
        Assert.Equal("*** @carol:example.org was invited by @alice:example.org as \"ca...@ex...\"",
            Line(Alice, """{"membership":"invite","third_party_invite":{"display_name":"ca...@ex..."}}"""));

    [Fact]
    public void A_repeated_invitation_by_mail_shows_its_address() =>
        Assert.Equal("*** @carol:example.org was invited again by @alice:example.org as \"ca...@ex...\"",
            Line(
                Alice, """{"membership":"invite","third_party_invite":{"display_name":"ca...@ex..."}}""",
                "\"prev_content\":{\"membership\":\"invite\"}"));

    [Fact]
    public void An_invitation_to_a_direct_chat_is_rendered_like_any_other() =>
        Assert.Equal(
            "*** @carol:example.org was invited by @alice:example.org",
            Line(Alice, """{"membership":"invite","is_direct":true,"displayname":"Carol"}"""));

    [Theory]
    [InlineData("join", "leave", "was kicked")]
    [InlineData("", "leave", "was removed")]
    [InlineData("leave", "ban", "was banned")]
    [InlineData("join", "ban", "was kicked and banned")]
    [InlineData("ban", "ban", "was banned again")]
    public void A_ban_that_removes_the_members_messages_is_marked(string earlier, string now, string what)
    {
        var content = $$"""{"membership":"{{now}}","reason":"spam","org.matrix.msc4293.redact_events":true}""";
        var previous = earlier.Length == 0 ? "" : $$"""
            "prev_content":{"membership":"{{earlier}}"}
            """;
        Assert.Equal(
            $"*** @carol:example.org {what} by @alice:example.org, who removed their messages too: \"spam\"",
            Line(Alice, content, previous));
        Assert.Equal(
            $"*** @carol:example.org {what} by @alice:example.org, who removed their messages too: \"spam\"",
            Line(Alice, content.Replace("org.matrix.msc4293.", "", StringComparison.Ordinal), previous));
        Assert.Equal(
            $"*** @carol:example.org {what} by @alice:example.org: \"spam\"",
            Line(Alice, content.Replace("true", "false", StringComparison.Ordinal), previous));
    }

    [Theory]
    [InlineData("ban", "leave", "unbanned")]
    [InlineData("leave", "invite", "invited")]
    public void Other_transitions_are_not_marked_as_removing_messages(string earlier, string now, string what) =>
        Assert.Equal(
            $"*** @carol:example.org was {what} by @alice:example.org",
            Line(
                Alice,
                $$"""{"membership":"{{now}}","org.matrix.msc4293.redact_events":true}""",
                $$"""
                "prev_content":{"membership":"{{earlier}}"}
                """));

    [Theory]
    [InlineData("leave", "join", Carol, "@carol:example.org joined")]
    [InlineData("join", "ban", Alice, "@carol:example.org was kicked and banned by @alice:example.org")]
    public void A_membership_that_arrives_redacted_is_marked(string earlier, string now, string sender, string sentence) =>
        Assert.Equal($"*** {sentence} (the rest was removed before it was logged)",
            Line(sender, $$"""{"membership":"{{now}}"}""", $$"""
                "unsigned":{"redacted_by":"$x","prev_content":{"membership":"{{earlier}}"} }
                """));

    [Theory]
    [InlineData("ban", "join", "joined")]
    [InlineData("ban", "leave", "left")]
    [InlineData("ban", "knock", "knocked")]
    [InlineData("join", "knock", "knocked")]
    public void After_a_missed_event_the_sentence_holds_for_all(string earlier, string now, string word) =>
        Assert.Equal($"*** @carol:example.org {word}", Line(Carol, $$"""{"membership":"{{now}}"}""", $$"""
            "prev_content":{"membership":"{{earlier}}"}
            """));

    [Theory]
    [InlineData("everyday", "*** @carol:localhost knocked: \"let me in\"")]
    [InlineData("everyday", "*** @alice:localhost accepted the knock of @carol:localhost: \"welcome\"")]
    [InlineData("everyday", "*** @dave:localhost was kicked by @bob:localhost: \"no spam\"")]
    [InlineData("everyday", "*** @dave:localhost was kicked and banned by @bob:localhost: \"really, no spam\"")]
    [InlineData("everyday", "*** @dave:localhost was unbanned by @bob:localhost")]
    [InlineData("everyday", "*** @alice:localhost changed their name from \"alice\" to \"Alice Älva 🦊\" and set their avatar")]
    [InlineData("invites", "*** @logging:localhost rejected the invitation")]
    public void Recorded_events_of_Synapse_have_sentences(string recording, string line) =>
        Assert.Contains(line, RecordedTraffic.Lines(recording));

    [Fact]
    public void A_name_cannot_end_its_quotes() =>
        Assert.Equal(
            "*** @carol:example.org joined as \"x\\\"␊*** @alice:example.org left\"",
            Line(Carol, """{"membership":"join","displayname":"x\"\n*** @alice:example.org left"}"""));

    [Theory]
    [InlineData(Carol, """{"membership":"dance"}""")]
    [InlineData(Carol, """{}""")]
    [InlineData(Carol, """{"membership":5}""")]
    [InlineData(Carol, """{"membership":"join","displayname":{}}""")]
    [InlineData(Carol, """{"membership":"leave","reason":[1]}""")]
    [InlineData(Carol, """{"membership":"invite","third_party_invite":"x"}""")]
    [InlineData(Alice, """{"membership":"ban","org.matrix.msc4293.redact_events":"yes"}""")]
    [InlineData(Carol, """{"membership":"ban"}""")]
    [InlineData(Carol, """{"membership":"invite"}""")]
    [InlineData(Alice, """{"membership":"join"}""")]
    [InlineData(Alice, """{"membership":"knock"}""")]
    public void A_forbidden_transition_is_rendered_by_the_fallback(string sender, string content) =>
        Assert.Equal($"*** {sender} m.room.member [\"@carol:example.org\"] {content}", Line(sender, content));

    private static string Line(string sender, string content, string more = "") =>
        Render(Event(sender, content, more), new FixedHistory(_ => null, (_, _) => null));

    private static string Render(RoomEvent e, RoomHistory before) => LineOf.Render(e, before, TimeZoneInfo.Utc, null);

    private static RoomEvent Event(string sender, string content, string more, string id = "$now") =>
        RoomEventFrom($$"""
            {
                "event_id":"{{id}}","room_id":"!r:example.org","type":"m.room.member","sender":"{{sender}}","state_key":"{{Carol}}",
                "origin_server_ts":1,"content":{{content}}{{(more.Length == 0 ? "" : ",")}}{{more}}
            }
            """);

    private static RoomEvent RoomEventFrom(string json) => RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json))!;
}
