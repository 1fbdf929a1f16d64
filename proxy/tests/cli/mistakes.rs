//! What the user got wrong is told in one line, with how to mend it and an exit code.

use std::io::Read;

use crate::{Running, assert_fails, data, framescope, output, show_stdin, text};

/// Asserts a failure as [`assert_fails`] does, and a help line with `mend` in it.
fn assert_helps(arguments: &[&str], code: i32, told: &str, mend: &str) {
    has_help(&assert_fails(&output(arguments), code, told), mend);
}

fn has_help(stderr: &str, mend: &str) {
    let help = stderr.lines().find(|line| line.starts_with("help: "));
    assert!(help.is_some_and(|line| line.contains(mend)), "{stderr}");
}

#[test]
fn a_data_folder_that_cannot_be_made_is_told_with_the_variable_that_names_another() {
    let data = data();
    let elsewhere = data.path().join("x.pcapng").display().to_string();
    let proxy = ["proxy", "ws://a", "--listen", "0", "-w", &elsewhere];
    for arguments in [&proxy[..], &["ca", "path"]] {
        for variable in ["FRAMESCOPE_DATA_DIR", "XDG_DATA_HOME"] {
            let mut command = framescope(&data, arguments);
            command.env_remove("FRAMESCOPE_DATA_DIR").env(variable, "/dev/null/none");
            let stderr = assert_fails(&command.output().expect("it runs"), 6, "/none");
            has_help(&stderr, "set FRAMESCOPE_DATA_DIR");
        }
    }
    let help = text(&output(&["help"]).stdout);
    for variable in ["FRAMESCOPE_DATA_DIR", "XDG_DATA_HOME", "FRAMESCOPE_LOG", "NO_COLOR"] {
        assert!(help.contains(variable), "{variable}: {help}");
    }
}

#[test]
fn an_own_name_that_is_no_host_name_is_refused() {
    for name in ["a b", "", "http://dev.test", "dev.test:9870", "dev.test/x"] {
        let failed = output(&["proxy", "ws://a", "--listen", "0", "--own-name", name]);
        assert_fails(&failed, 2, "give a host name such as dev.test, without scheme and port");
    }
    // The name is taken: what fails is the upstream.
    let failed = output(&["proxy", "ftp://a", "--own-name", "Dev.Test", "--own-name", "dev_box"]);
    assert_fails(&failed, 4, "must begin with ws://");
}

#[test]
fn options_on_the_upstreams_certificate_are_refused_where_it_has_none() {
    for upstream in ["ws://a", "http://a"] {
        for option in [&["--upstream-ca", "/nowhere.pem"][..], &["--insecure-upstream"]] {
            let arguments = [&["proxy", upstream, "--listen", "0"], option].concat();
            let told = format!("{} has no effect: the upstream ws://a is not TLS", option[0]);
            assert_helps(&arguments, 2, &told, "wss://");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_capture_on_stdout_has_a_path_and_the_dash_is_refused_with_it() {
    let folder = data();
    let mut dash = framescope(&folder, &["proxy", "ws://a", "--listen", "0", "-w", "-"]);
    let dash = dash.current_dir(folder.path()).output().expect("it runs");
    assert_fails(&dash, 2, "for a capture on stdout: -w /dev/stdout --quiet");
    assert!(!folder.path().join("-").exists());

    let stdout = ["proxy", "ws://a", "--listen", "0", "-w", "/dev/stdout", "--quiet"];
    let mut proxy = Running::start(&folder, &stdout);
    proxy.send("TERM");
    let mut capture = Vec::new();
    proxy.child.stdout.take().expect("a pipe").read_to_end(&mut capture).expect("it is read");
    assert_eq!(proxy.end().0, Some(0));
    let shown = show_stdin(&["show", "-"], &capture);
    assert!(shown.status.success() && !capture.is_empty(), "{}", text(&shown.stderr));
}

#[test]
fn a_file_that_cannot_be_written_is_told_with_what_to_do() {
    let nowhere = "/nonexistent/folder/x";
    let code = "FRAME_UNMASKED_FROM_CLIENT";
    for command in [&["explain", code, "--capture"][..], &["ca", "export"]] {
        let arguments = [command, &[nowhere]].concat();
        assert_helps(&arguments, 5, "cannot write /nonexistent/folder/x", "make its folder");
        let arguments = [command, &["/dev/null"]].concat();
        assert_helps(&arguments, 5, "cannot write /dev/null", "choose another name");
    }
}

#[test]
fn an_example_that_no_code_names_is_told_so() {
    let folder = data();
    let file = folder.path().join("x.pcapng").display().to_string();
    for (what, told) in [
        (&["81", "00"][..], "--capture needs the code of a rule, not 81 00"),
        (&["rules"], "--capture needs the code of a rule, not rules"),
        (&["NO_SUCH_RULE"], "there is no rule NO_SUCH_RULE"),
    ] {
        let arguments = [&["explain"], what, &["--capture", &file]].concat();
        assert_helps(&arguments, 2, told, "framescope explain rules");
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_told_with_what_to_check() {
    let own = ["ws://a", "--cert", "/nowhere.pem", "--key", "/nowhere.pem"];
    for options in [&own[..], &["wss://a", "--upstream-ca", "/nowhere.pem"]] {
        let arguments = [&["proxy", "--listen", "0"], options].concat();
        assert_helps(&arguments, 4, "/nowhere.pem", "check the path");
    }
}

#[test]
fn options_that_take_numbers_and_addresses_say_what_to_give() {
    for (arguments, told) in [
        (&["demo", "--listen", "x"][..], "write HOST:PORT, such as 127.0.0.1:9000"),
        (&["show", "-", "--payload-lines", "x"], "give a number of lines"),
    ] {
        assert_fails(&output(arguments), 2, told);
    }
}

#[test]
fn a_wrong_digit_of_hex_on_stdin_is_told_with_its_line_and_column() {
    let failed = show_stdin(&["explain", "-"], b"81 05\n48 0g 41\n");
    let stderr = assert_fails(&failed, 2, "'g' is not a hex digit at line 2, column 5");
    assert!(stderr.contains("  48 0g 41\n      ^\n"), "{stderr}");
    has_help(&stderr, "xxd -p");
    assert_fails(&show_stdin(&["explain", "-"], b"81 0"), 2, "at line 1, column 4");
    for what in [&["-", "8100"][..], &["8100", "-"]] {
        assert_helps(&[&["explain"], what].concat(), 2, "stands alone", "either - or the octets");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_no_success() {
    for arguments in [&["help"][..], &["--version"], &["help", "proxy"], &["explain", "89 00"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a device");
        let failed = framescope(&data(), arguments).stdout(full).output().expect("it runs");
        assert_fails(&failed, 1, "cannot write to stdout: No space left");
    }
}
