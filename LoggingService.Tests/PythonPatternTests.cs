using LoggingService.PythonRegex;

namespace LoggingService.Tests;

public sealed class PythonPatternTests
{
    [Theory]
    [InlineData("#logged_.*", "#logged_ops:example.org", true)]
    [InlineData("#logged_.*", "#Logged_ops:example.org", false)]
    [InlineData("#logged_.*", "x#logged_ops:example.org", false)]
    [InlineData("#logged_.*:example\\.org", "#logged_ops:example.org.evil.example", true)]
    [InlineData("#logged_.*:example\\.org$", "#logged_ops:example.org.evil.example", false)]
    [InlineData("^#logged_.*:example\\.org$", "#logged_ops:example.org", true)]
    [InlineData("@_irc_[^:]*:example\\.org", "@_irc_alice:example.org", true)]
    [InlineData("@_irc_[^:]*:example\\.org", "@_irc_a:b:example.org", false)]
    [InlineData("@_irc_[^:]*:example\\.org", "@_irc_a:exampleXorg", false)]
    [InlineData("#_discord_.*", "#_discord_1_2:example.org", true)]
    [InlineData("@\\_telegram\\_.*", "@_telegram_7:example.org", true)]
    [InlineData("@logger\\:example\\.org", "@logger:example.org", true)]
    [InlineData("@(?!bot).*", "@alice:example.org", true)]
    [InlineData("@(?!bot).*", "@bot:example.org", false)]
    [InlineData("!.*", "!room:example.org", true)]
    [InlineData("@.*", "#not-a-user:example.org", false)]
    [InlineData("@(?P<localpart>[a-z0-9._=/-]+):example\\.org", "@a/b=c:example.org", true)]
    [InlineData("@(irc|xmpp)_\\w+:.*", "@xmpp_bob:x", true)]
    [InlineData("", "anything", true)]
    public void A_registration_means_what_it_means_to_Synapse(string pattern, string text, bool matches) =>
        Assert.Equal(matches, PythonPattern.Translate(pattern).IsMatch(text));

    // What is expected is what Python 3.11 answered.
    [Theory]
    [InlineData("a\\Z", "a", true)]
    [InlineData("a\\Z", "a\n", false)]
    [InlineData("a$", "a\n", true)]
    [InlineData("a$", "a\nb", false)]
    [InlineData("(?m)a$", "a\nb", true)]
    [InlineData("(?m)a\n^b", "a\nb", true)]
    [InlineData("a\n^b", "a\nb", false)]
    [InlineData("(?P<n>ab)(?P=n)", "abab", true)]
    [InlineData("(?P<n>ab)(?P=n)", "abba", false)]
    [InlineData("(a)(?P<n>b)(c)\\2", "abcb", true)]
    [InlineData("(a)(?P<n>b)(c)\\2", "abcc", false)]
    [InlineData("(a)(?P<n>b)(c)\\3", "abcc", true)]
    [InlineData("(?P<a>x)|(y)\\2", "yy", true)]
    [InlineData("a++a", "aaa", false)]
    [InlineData("a*+b", "aab", true)]
    [InlineData("a?+a", "a", false)]
    [InlineData("a{1,2}+a", "aaa", true)]
    [InlineData("a{1,2}+a", "aa", false)]
    [InlineData("(?>a|ab)c", "abc", false)]
    [InlineData("a{,3}b", "aaab", true)]
    [InlineData("a{,3}b", "aaaab", false)]
    [InlineData("a{,}b", "aaaab", true)]
    [InlineData("a{,3", "a{,3", true)]
    [InlineData("a{}", "a{}", true)]
    [InlineData("a{x", "a{x", true)]
    [InlineData("a{ 2}", "a{ 2}", true)]
    [InlineData("\\_\\-\\:\\@\\#\\/\\\u00E9", "_-:@#/\u00E9", true)]
    [InlineData("\\x41\\u00e9\\U0001F600\\101\\0", "A\u00E9\U0001F600A\u0000", true)]
    [InlineData("\\a\\f\\v\\t", "\u0007\u000C\u000B\t", true)]
    [InlineData(".\\Z", "\U0001F600", true)]
    [InlineData("..\\Z", "\U0001F600", false)]
    [InlineData("[^a]\\Z", "\U0001F600", true)]
    [InlineData("\\W\\Z", "\U0001F600", true)]
    [InlineData("\U0001F600{2}\\Z", "\U0001F600\U0001F600", true)]
    [InlineData("[\U0001F600-\U0001F602]+\\Z", "\U0001F600\U0001F601\U0001F602", true)]
    [InlineData("[\U0001F600-\U0001F602]", "\U0001F603", false)]
    [InlineData("[a-\U0001F600]\\Z", "\u00E9", true)]
    [InlineData("\\ud83d", "\U0001F600", false)]
    [InlineData(".(?<=\U0001F600)a", "\U0001F600a", true)]
    [InlineData(".", "\n", false)]
    [InlineData("(?s).", "\n", true)]
    [InlineData("(?s:.).", "\n\n", false)]
    [InlineData("(?i)ABC", "abc", true)]
    [InlineData("(?i:a)b", "Ab", true)]
    [InlineData("(?i:a)b", "AB", false)]
    [InlineData("(?i)a(?-i:b)", "AB", false)]
    [InlineData("(?u)\u00E9", "\u00E9", true)]
    [InlineData("(?i)k", "\u212A", true)]
    [InlineData("(?i)i", "\u0131", true)]
    [InlineData("(?i)i", "\u0130", true)]
    [InlineData("(?i)s", "\u017F", true)]
    [InlineData("(?ai)s", "\u017F", false)]
    [InlineData("(?i)[^s]", "\u017F", false)]
    [InlineData("(?i)\U00010400", "\U00010428", true)]
    [InlineData("(?i)\u00E9", "\u00C9", true)]
    [InlineData("(?ai)\u00E9", "\u00C9", false)]
    [InlineData("(?i)[\u1F00-\u1FFF]", "\u0390", true)]
    [InlineData("\\d", "\u0661", true)]
    [InlineData("(?a)\\d", "\u0661", false)]
    [InlineData("(?a:\\d)", "1", true)]
    [InlineData("(?a)\\w", "\u00E9", false)]
    [InlineData("\\w", "\u00E9", true)]
    [InlineData("\\w", "\u00B2", true)]
    [InlineData("\\w", "\u0301", false)]
    [InlineData("\\w\\Z", "\U00010330", true)]
    [InlineData("\\s", "\u001C", true)]
    [InlineData("(?a)\\s", "\u2003", false)]
    [InlineData("\\s", "\u2003", true)]
    [InlineData("a\\b", "a\u0301", true)]
    [InlineData("a\\b", "a\u00B2", false)]
    [InlineData("a\\B", "a\u00B2", true)]
    [InlineData("\\Ba", "a", false)]
    [InlineData("\\ba", "a", true)]
    [InlineData("[a-z-[aeiou]]", "a]", true)]
    [InlineData("[a-z-[aeiou]]", "b]", true)]
    [InlineData("[a-z-[aeiou]]", "b", false)]
    [InlineData("[]a]+\\Z", "]a", true)]
    [InlineData("[^]a]", "]", false)]
    [InlineData("[a-]+\\Z", "a-", true)]
    [InlineData("[\\w-]+\\Z", "a-", true)]
    [InlineData("[\\b]", "\u0008", true)]
    [InlineData("[[:alpha:]]", "a", false)]
    [InlineData("[[:alpha:]]", "a]", true)]
    [InlineData("[\\1]", "\u0001", true)]
    [InlineData("[^\\W\\d]", "1", false)]
    [InlineData("[\\W\\d]\\Z", "\n", true)]
    [InlineData("(?x) a b # c", "ab", true)]
    [InlineData("(?x)a\\ [ ]b#)", "a  b", true)]
    [InlineData("(?#c\\))a", "a", true)]
    [InlineData("(?x:a b)c d", "abc d", true)]
    [InlineData("(a)?(?(1)b|c)", "ab", true)]
    [InlineData("(a)?(?(1)b|c)", "c", true)]
    [InlineData("(a)?(?(1)b|c)", "b", false)]
    [InlineData("(?P<n>a)?(?(n)b)\\Z", "ab", true)]
    [InlineData("(?:(a)|b)*\\1", "aba", true)]
    [InlineData("ab(?<=ab)c", "abc", true)]
    [InlineData("ab(?<!ab)c", "abc", false)]
    [InlineData("(?=a)*b", "b", true)]
    [InlineData("a|b|", "c", true)]
    public void What_Python_and_NET_read_differently_means_what_it_means_to_Python(string pattern, string text, bool matches) =>
        Assert.Equal(matches, PythonPattern.Translate(pattern).IsMatch(text));

    [Theory]
    [InlineData("\\p{L}", "bad escape \\p", 0)]
    [InlineData("\\e", "bad escape \\e", 0)]
    [InlineData("\\cA", "bad escape \\c", 0)]
    [InlineData("\\h", "bad escape \\h", 0)]
    [InlineData("a\\q", "bad escape \\q", 1)]
    [InlineData("\\Qa\\E", "bad escape \\Q", 0)]
    [InlineData("\\z", "bad escape \\z", 0)]
    [InlineData("(?<n>a)", "unknown extension ?<n", 1)]
    [InlineData("(?'n'a)", "unknown extension ?'", 1)]
    [InlineData("(?<=a*)b", "look-behind requires fixed-width pattern", 0)]
    [InlineData("(?<!a|bc)d", "look-behind requires fixed-width pattern", 0)]
    [InlineData("a(?i)b", "global flags not at the start of the expression", 1)]
    [InlineData("(?i-)a", "missing flag", 4)]
    [InlineData("(?au)a", "bad inline flags: flags 'a', 'u' and 'L' are incompatible", 4)]
    [InlineData("(?L)a", "bad inline flags: cannot use 'L' flag with a str pattern", 3)]
    [InlineData("(?n)a", "unknown extension ?n", 1)]
    [InlineData("*a", "nothing to repeat", 0)]
    [InlineData("a**", "multiple repeat", 2)]
    [InlineData("a{2}{3}", "multiple repeat", 4)]
    [InlineData("^*", "nothing to repeat", 1)]
    [InlineData("\\b+", "nothing to repeat", 2)]
    [InlineData("a{3,2}", "min repeat greater than max repeat", 2)]
    [InlineData("(a", "missing ), unterminated subpattern", 0)]
    [InlineData("a)", "unbalanced parenthesis", 1)]
    [InlineData("[a", "unterminated character set", 0)]
    [InlineData("[z-a]", "bad character range z-a", 1)]
    [InlineData("[\\w-z]", "bad character range \\w-z", 1)]
    [InlineData("a\\", "bad escape (end of pattern)", 1)]
    [InlineData("\\1", "invalid group reference 1", 1)]
    [InlineData("(a\\1)", "cannot refer to an open group", 2)]
    [InlineData("(?P<1>a)", "bad character in group name '1'", 4)]
    [InlineData("(?P<n>a)(?P<n>b)", "redefinition of group name 'n' as group 2; was group 1", 12)]
    [InlineData("(?P=n)", "unknown group name 'n'", 4)]
    [InlineData("(?P>n)", "unknown extension ?P>", 1)]
    [InlineData("(?(1)a|b)", "invalid group reference 1", 3)]
    [InlineData("(a)(?(1)a|b|c)", "conditional backref with more than two branches", 11)]
    [InlineData("(?#a", "missing ), unterminated comment", 0)]
    [InlineData("\\xg", "incomplete escape \\x", 0)]
    [InlineData("\\u12", "incomplete escape \\u12", 0)]
    [InlineData("\\U00110000", "bad escape \\U00110000", 0)]
    [InlineData("\\400", "octal escape value \\400 outside of range 0-0o377", 0)]
    [InlineData("[\\8]", "bad escape \\8", 1)]
    [InlineData("\U0001F600\\h", "bad escape \\h", 1)]
    public void What_Synapse_would_refuse_is_refused_in_its_words(string pattern, string why, int position) =>
        Assert.Equal($"Synapse will refuse it: {why} at position {position}", Refusal(pattern));

    [Theory]
    [InlineData("a\\N{EM DASH}", "a character by its name (write \\u and its number) at position 1")]
    [InlineData("(?i)(a)\\1", "a reference to a group, without regard to case at position 7")]
    [InlineData("(?<=(a|b){2})\\1", "a reference to a group of a look-behind at position 13")]
    [InlineData("a{4000000000}", "more than 2147483647 repetitions at position 2")]
    [InlineData("(?>(?:b||c)+?a)", "a lazy repetition of what may be empty at position 11")]
    public void What_cannot_keep_its_meaning_is_refused(string pattern, string why) =>
        Assert.Equal($"can't be given the same meaning here: {why}", Refusal(pattern));

    [Theory]
    [InlineData("(")]
    [InlineData("(?:")]
    [InlineData("(?(1)")]
    public void A_pattern_nested_deeper_than_any_is_refused(string opening) =>
        Assert.StartsWith(
            "can't be given the same meaning here: groups more than 100 deep",
            Refusal(string.Concat(Enumerable.Repeat(opening, 20_000))));

    [Fact]
    public void A_refusal_is_one_line() => Assert.DoesNotContain('\n', Refusal("(?P<a\nb>c)"));

    [Fact]
    public void A_repetition_of_repetitions_takes_no_longer_than_others() =>
        Assert.False(PythonPattern.Translate("#(a+)+b").IsMatch("#" + new string('a', 5_000)));

    [Fact]
    public void A_pattern_that_backtracks_without_end_is_stopped()
    {
        var pattern = PythonPattern.Translate("#(?!bot)(a+)+b");

        var e = Assert.Throws<TimeoutException>(() => pattern.IsMatch("#" + new string('a', 250)));

        Assert.Contains("#(?!bot)(a+)+b", e.Message);
    }

    [Fact]
    public void A_pattern_that_took_too_long_is_left_alone_for_a_while()
    {
        var pattern = PythonPattern.Translate("#(?!bot)(a+)+b");
        Assert.True(pattern.IsMatch("#ab"));
        Assert.Throws<TimeoutException>(() => pattern.IsMatch("#" + new string('a', 250)));

        var e = Assert.Throws<TimeoutException>(() => pattern.IsMatch("#ab"));

        Assert.Contains("isn't tried now", e.Message);
    }

    [Fact]
    public void Half_a_character_matches_nothing() => Assert.False(PythonPattern.Translate(".").IsMatch("\uD83D"));

    private static string Refusal(string pattern) =>
        Assert.Throws<FormatException>(() => PythonPattern.Translate(pattern)).Message;
}
